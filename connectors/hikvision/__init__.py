"""Hikvision ISAPI event notifications: cameras and access control."""
