"""Rules that operators declare as data: loaded and checked, then judged minute by minute."""
