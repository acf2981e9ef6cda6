"""Users of an InfluxDB 1.8 and what each may: one credential a purpose, as `tokens.sh` makes those of a 2.x.

Pure. Rights of 1.8 are of a database, so elderly care is apart only with a database of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["Credential", "credentials", "first_administrator", "statements"]

Right = Literal["ALL", "READ"]
_NEVER: Final = "'\"\\\n"


@dataclass(frozen=True, slots=True)
class Credential:
    """Who it is for, the user's name, and its right to each database that it has one to."""

    purpose: str
    user: str
    rights: tuple[tuple[str, Right], ...]


def credentials(database: str, care_database: str = "") -> tuple[Credential, ...]:
    """Who writes, who reads, and Grafana's two classes; without a database of care there is one class."""
    every = [name for name in (database, care_database) if name]
    made = [
        Credential("writer", "taishi_writer", tuple((name, "ALL") for name in every)),
        Credential("reader", "taishi_reader", tuple((name, "READ") for name in every)),
        Credential("grafana-district", "taishi_grafana_district", ((database, "READ"),)),
    ]
    if care_database:
        made.append(Credential("grafana-care", "taishi_grafana_care", ((care_database, "READ"),)))
    return tuple(made)


def statements(credential: Credential, password: str, known: Iterable[str]) -> list[str]:
    """InfluxQL that makes the user, or gives it this password, and its rights; `known`: who is there already.

    Each may be run again. A right that it has beyond these, by somebody's hand, stays.
    """
    user, secret = _quoted(credential.user), _text(password)
    begins = (
        f"SET PASSWORD FOR {user} = {secret}"
        if credential.user in set(known)
        else f"CREATE USER {user} WITH PASSWORD {secret}"
    )
    return [begins, *(f"GRANT {right} ON {_quoted(name)} TO {user}" for name, right in credential.rights)]


def first_administrator(user: str, password: str) -> str:
    """What a 1.8 with `auth-enabled` takes from anybody while it has no administrator, and nothing else."""
    return f"CREATE USER {_quoted(user)} WITH PASSWORD {_text(password)} WITH ALL PRIVILEGES"


def _quoted(name: str) -> str:
    return f'"{_plain(name)}"'


def _text(secret: str) -> str:
    return f"'{_plain(secret)}'"


def _plain(text: str) -> str:
    """ValueError for what would end the quotes; neither names nor passwords of ours hold it."""
    if any(sign in _NEVER for sign in text):
        raise ValueError("received a quote, a backslash or a line's end in a name or password of InfluxDB")
    return text
