"""What the desk knows, durable: tables, and what may be asked of and written to them (SQL)."""
