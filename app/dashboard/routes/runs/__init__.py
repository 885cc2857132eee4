"""The pages of one run."""
