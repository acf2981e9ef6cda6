"""Libelium Smart Parking v2 sensor."""
