"""What follows a finding: incidents, announcements and actions, as values; no sockets, no clock."""
