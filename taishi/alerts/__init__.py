"""Alerts for people: what is on the topic, put together, chosen and shown."""
