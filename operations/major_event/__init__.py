"""Major-event mode (战时): an area and a period with own units, roster, rhythm of reports, priorities."""
