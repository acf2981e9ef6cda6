"""Our own JSON: one reading, or a list of readings, in plain words."""
