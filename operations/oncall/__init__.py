"""On-call: who is told of an alert, by which channel, and who next if nobody answers."""
