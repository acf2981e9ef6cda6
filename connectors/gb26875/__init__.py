"""GB/T 26875.3 fire alarm transmission: binary frames of a user information transmission device."""
