"""SenML packs, RFC 8428, as JSON."""
