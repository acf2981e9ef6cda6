"""Pipelines: pure kernels on columns, thin Beam adapters, Kafka and InfluxDB at the edges."""
