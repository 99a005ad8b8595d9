"""Policy and inventory: files that people write, checked and compiled into the tables that the fold reads."""
