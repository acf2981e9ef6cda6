"""Recordings: rows of CSV or NDJSON files read by a mapping, sent as if they happened now or as recorded."""
