"""The vocabulary of Taishi: what a reading, a signal, a window, a place is. Pure, no I/O."""
