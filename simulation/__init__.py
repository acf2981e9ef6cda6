"""A simulated city: made-up devices that speak the vendors' real formats to the real connectors.

What it says is generated, never recorded, and labelled simulated wherever it shows.
"""
