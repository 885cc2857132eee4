"""Schedules and feeds as their pages show them."""
