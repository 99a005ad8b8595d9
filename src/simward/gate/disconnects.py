"""Disconnect-Requests: what the fold decided becomes a request to the gateway, and the gateway's answer an event."""
