"""Wire formats: octets in, events out; no sockets, no clock."""
