"""How large InfluxDB is on disk, from what it says of its shards. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = ["sizes"]


def sizes(rows: Iterable[Mapping[str, object]]) -> dict[str, int]:
    """Bytes by `database/policy`: the sums of the rows of SHOW STATS FOR 'shard', tags among them."""
    found: dict[str, int] = {}
    for row in rows:
        name = f"{row['database']}/{row['retentionPolicy']}"
        found[name] = found.get(name, 0) + int(str(row["diskBytes"]))
    return found
