"""Cases for the command line: the desk opened, and what is shown of it."""
