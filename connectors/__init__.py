"""Connectors: one folder a protocol or vendor format; decode, resolve the grid, produce to Kafka."""
