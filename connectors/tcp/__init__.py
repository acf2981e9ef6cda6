"""Framed bytes over TCP: a frame is confirmed only after Kafka's delivery report."""
