"""Simward: the open security control plane for cellular IoT fleets."""

__version__ = "0.1.0"
