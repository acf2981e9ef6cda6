"""Places: district, streets, communities and grids; which grid a point lies in. Pure, no I/O."""
