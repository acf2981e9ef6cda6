"""Grid workers and party building: what people on the spot tell, as JSON of our own."""
