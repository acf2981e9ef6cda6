"""What could not be taken, for those who look after it: read it, understand it, send it again."""
