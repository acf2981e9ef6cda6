"""One Beam graph a file."""
