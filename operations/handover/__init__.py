"""Shift hand-over (交接班): what one leaves, who signed for it, whose the next alert is."""
