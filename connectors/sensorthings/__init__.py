"""OGC SensorThings observations."""
