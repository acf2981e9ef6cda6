"""The simulated city's past, as windows: what its devices would have left in InfluxDB, without living it.

Pure columns from a seed. An hour's values depend on the seed and that hour alone, so a week and a month
agree where they overlap, and any hour can be made on its own. All of it is marked simulated.
"""
