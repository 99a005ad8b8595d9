"""The deterministic engine: events, state, kernel, journal, snapshot, replay."""
