"""RADIUS as gateways speak it: octets become events and results become octets, without sockets and without a clock."""
