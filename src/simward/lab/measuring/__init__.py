"""The lab as an instrument: made-up traffic through both folds, and what each detector found, missed and made up."""
