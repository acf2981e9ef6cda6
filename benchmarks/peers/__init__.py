"""Ours beside the engines a user would pick: one topic, one result, measured from outside in one run."""
