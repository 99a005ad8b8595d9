"""What `replay` reads besides journal and history: captures of RADIUS and files of events, as batches of EVENT."""
