"""ChirpStack v4 uplinks."""
