"""Access tokens of OAuth 2.0: ours for clients that we know, and those of issuers that the settings name."""
