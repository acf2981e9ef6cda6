"""Cases: what must be done about something, by whom, until when. Pure rules; time is passed in."""
