"""What callers declare and ask for: the shapes of bodies and their checks, the same at every door."""
