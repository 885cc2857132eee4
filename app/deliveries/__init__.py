"""The outbox of notifications about ended runs."""
