"""Milesight VS373 fall radar."""
