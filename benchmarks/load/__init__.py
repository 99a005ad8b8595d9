"""A RADIUS load generator that is faster than what it measures: packets made beforehand, sockets driven in batches."""
