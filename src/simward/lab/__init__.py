"""A simulated fleet, gateway and attackers that speak the real protocols."""
