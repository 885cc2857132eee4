"""`sluice import`: sends a file to a running service, follows the import to its end and reports the outcome."""
