"""The Things Stack v3 uplinks."""
