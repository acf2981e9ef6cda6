"""Grafana boards as code: typed here, rendered to `dashboards/rendered`, checked without a Grafana."""
