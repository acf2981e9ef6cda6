"""Presence: which devices are silent, which feeds, and which people do not move."""
