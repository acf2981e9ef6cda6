"""Signals to alerts: no windows, no statistics; one occurrence, one alert."""
