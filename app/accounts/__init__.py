"""Accounts as the operator of the service administers them: made, given quotas, and deleted with all that they have."""
