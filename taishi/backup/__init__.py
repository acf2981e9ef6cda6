"""Backup and restore of an embedded installation: the log, the store, the desk's database, sealed keys."""
