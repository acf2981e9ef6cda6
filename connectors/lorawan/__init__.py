"""LoRaWAN devices: raw frames to values, by device model, whatever network server brought them."""
