"""What goes on without anybody asking: schedules, item syncs, and folders that are watched."""
