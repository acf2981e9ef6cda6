"""Live pages for operators: the wall, places, domains and the system's own health, pushed to browsers."""
