"""Item syncs as their pages show them."""
