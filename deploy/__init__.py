"""How Taishi is put somewhere: `embedded` is the one-command stack without Docker or root."""
