"""Milesight WS101 button."""
