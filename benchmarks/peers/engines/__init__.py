"""One script an engine, written as the engine's own documentation does it; most run in their own environment."""
