"""What proposed policies would have done with recorded history, beside what really happened."""
