"""One file a change, safe with the code before it and after it: columns and tables are added, none is changed."""
