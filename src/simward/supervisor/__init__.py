"""Keeps the processes of a working folder running: gate, watch and control."""
