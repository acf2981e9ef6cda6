"""Which elements a page has, and where they stand."""
