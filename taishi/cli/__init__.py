"""The commands, one file a group; `main.py` lists them and imports one only when it is called."""
