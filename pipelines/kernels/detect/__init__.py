"""Detectors on series: what is usual for a place and an hour, and when it is not. Decision 0011."""
