"""The audit log of an account: who has changed what, and when."""
