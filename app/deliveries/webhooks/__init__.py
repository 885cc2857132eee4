"""Webhooks: declared by an account, and told by signed messages what has become of its runs."""
