"""The outbox of everything that we tell others when a run has ended."""
