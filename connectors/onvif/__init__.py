"""ONVIF event notifications: WS-BaseNotification XML, pushed, pulled or out of a metadata stream."""
