"""What a request asks of the audit log, through the API or a page."""
