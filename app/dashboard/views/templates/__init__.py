"""What the pages of mapping templates show."""
