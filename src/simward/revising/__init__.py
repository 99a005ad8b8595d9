"""Revisions of policy and inventory: who owns what of them, what one would change, and its way to the journal."""
