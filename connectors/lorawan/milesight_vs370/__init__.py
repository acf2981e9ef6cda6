"""Milesight VS370 presence radar."""
