"""Record types and records as their pages show them."""
