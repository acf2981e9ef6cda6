"""Measurements: each prints its figures and the limits of the same run beside them."""
