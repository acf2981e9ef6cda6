"""What runs and what flows: gathered from every part, checked against itself, shown as a table.

`collect` asks the parts (the only I/O), `assemble` turns the answers into a frozen `Snapshot`,
`conservation` checks that nothing vanished, `render` shows it. A part that does not answer is
shown as such; nothing here raises because something is down.
"""

from taishi.status.live import show_live, take
from taishi.status.snapshot import Snapshot

__all__ = ["Snapshot", "show_live", "take"]
