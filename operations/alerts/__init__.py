"""Alerts at the desk: what people do with them, the state that makes, and the load they are."""
