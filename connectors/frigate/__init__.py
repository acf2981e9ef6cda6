"""Frigate: what its cameras saw, over MQTT."""
