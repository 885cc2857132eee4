"""The endpoints of the service itself: its health, its limits and its documents."""
