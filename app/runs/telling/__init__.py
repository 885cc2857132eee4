"""What webhooks and traces are told of a run."""
