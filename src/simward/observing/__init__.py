"""Watching Simward itself: what its processes count, as Prometheus reads it, put together in one place."""
