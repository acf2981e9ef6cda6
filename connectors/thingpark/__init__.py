"""Actility ThingPark uplinks."""
