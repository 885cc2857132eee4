"""What the pages have in common on which it is chosen what columns become."""
