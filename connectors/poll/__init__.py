"""HTTP that we ask: answers fetched in turn, and streams that are kept open."""
