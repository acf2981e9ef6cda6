"""FIWARE parking entities."""
