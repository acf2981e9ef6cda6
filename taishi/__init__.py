"""Command line, settings, logging and metrics: the façade and nothing else."""
