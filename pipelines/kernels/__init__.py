"""Pure functions on columns: the fold, the roll-up. Neither Beam nor Kafka nor HTTP is imported here."""
