"""Who comes in, and how: tokens of systems, accounts and sessions of people, and what keeps strangers out."""
