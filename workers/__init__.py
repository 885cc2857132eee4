"""The ARQ worker: tasks that call the engines, and the housekeeping."""
