"""The ARQ worker: shallow jobs that call the engines, and the loops that keep house."""
