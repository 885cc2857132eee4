"""Jobs: their names, and the doorbell that wakes a worker."""
