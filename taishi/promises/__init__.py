"""The promise sheet: what PROMISES.md says, and when which test last showed it."""
