"""How the read-only credentials of Grafana's data sources are made, one a sensitivity class. Pure.

Whoever may look at a board may ask its data source anything, so what a credential can read is the border, not
what boards show.
"""

from __future__ import annotations

from collections.abc import Iterable

from schemas.errors import SettingsError
from schemas.store import bucket

__all__ = ["commands"]


def commands(database: str, care_database: str, policies: Iterable[str], org: str) -> list[str]:
    """Shell commands for an InfluxDB 2.x (`org`), InfluxQL for 1.8 (no `org`); lines with # are comments.

    SettingsError where care lies in the database of everything: no credential could leave it out.
    """
    if not care_database or care_database == database:
        raise SettingsError(
            f"influxdb_care_database: received {care_database!r}, allowed: a database of its own; in "
            f"{database!r} every credential that reads the district reads the homes too"
        )
    classes = {"district": database, "care": care_database}
    names = list(policies)
    made: list[str] = []
    for name, held in classes.items():
        made.append(f"# {name}: reads {held} and nothing else")
        made += _of_2(name, held, names, org) if org else _of_1(name, held)
    return made


def _of_2(name: str, database: str, policies: list[str], org: str) -> list[str]:
    """A token with read permission on the database's buckets, and on which bucket is which policy."""
    ids = " ".join(
        f'--read-bucket "$(influx bucket list --name {bucket(database, policy)} --hide-headers | cut -f1)"'
        for policy in policies
    )
    return [f"influx auth create --org '{org}' --description 'taishi grafana {name}' --read-dbrps {ids}"]


def _of_1(name: str, database: str) -> list[str]:
    """A user with READ on the database; authentication must be on (`[http] auth-enabled`)."""
    user = f"taishi_grafana_{name}"
    return [
        f"CREATE USER {user} WITH PASSWORD '<a password of your own>'",
        f'GRANT READ ON "{database}" TO {user}',
    ]
