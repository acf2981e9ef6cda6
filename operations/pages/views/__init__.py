"""What pages show, as pure functions from rows to frames."""
