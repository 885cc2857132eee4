"""The queue between the API and the workers: the names of its tasks, and the way to Redis or Valkey."""
