"""What the pages of exports show."""
