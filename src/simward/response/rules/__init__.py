"""Automation: the rules of a policy, what triggers them, what they do and how it is held, approved and taken back."""
