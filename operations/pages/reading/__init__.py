"""What pages read: the newest windows, the past hour, the usual, the last hours of a place."""
