"""What goes out to the city's other platforms: windows and parking readings as NGSI-LD, alerts as CAP 1.2."""
