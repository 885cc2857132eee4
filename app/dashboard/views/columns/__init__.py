"""What the pages show on which it is chosen what the columns of a file become."""
