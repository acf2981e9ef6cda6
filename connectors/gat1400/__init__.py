"""GA/T 1400 (视图库) notifications: how many vehicles and people were captured, never which."""
