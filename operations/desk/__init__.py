"""The desk's API: people sign in, see alerts, and act on them; what changes is told to open pages at once."""
