"""Thin Beam adapters: how micro-batches enter a pipeline and pass through it."""
