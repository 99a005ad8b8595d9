"""What routes answer and take, typed, a module for each kind of thing."""
