"""Records of sessions that other systems keep, made into events: whatever their columns are called."""
