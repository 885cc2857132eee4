"""Pages of item syncs: settings, tests, runs."""
