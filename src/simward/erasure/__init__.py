"""Erasing a person's identifiers: journal, history, snapshots and registry are rewritten without them."""
