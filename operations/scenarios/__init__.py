"""The N scenarios on the desk: parking, security, elderly care, party building, grid work."""
