"""How Taishi is put somewhere: `embedded` (one command, no Docker, no root), compose, kubernetes."""
