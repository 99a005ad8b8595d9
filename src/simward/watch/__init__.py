"""The process behind the gate: follows its journal and makes the snapshots."""
