"""A method for each route, a module for each kind of thing."""
