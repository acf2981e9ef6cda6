"""One state for all open pages: frames by key, pushed when they change."""
