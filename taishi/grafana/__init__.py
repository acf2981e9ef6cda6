"""Boards into a running Grafana, over its HTTP API."""
