"""Kafka, InfluxDB and checkpoints: where pipelines touch the world."""
