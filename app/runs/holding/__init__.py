"""What stops a run before it is through, and how somebody decides what becomes of it."""
