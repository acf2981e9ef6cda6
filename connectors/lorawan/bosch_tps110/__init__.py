"""Bosch TPS110 parking sensor."""
