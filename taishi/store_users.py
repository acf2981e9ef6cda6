"""Users of an InfluxDB 1.8 made by the administrator's credential, each with a password in a file of its own.

A file is written before its user is made, and what a file says becomes the user's password at every run: a
process that dies between any two lines leaves what the next run completes, and a file that is deleted gets a
new password.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from pipelines.io.influxdb import InfluxDb
from pipelines.io.influxdb_users import Credential, credentials, first_administrator, statements
from schemas.errors import SettingsError
from taishi.secret_files import write_secret

__all__ = ["make_users"]

_FILE = "taishi_influxdb_token"
_NO_ADMINISTRATOR = "create admin user first"


def make_users(store: InfluxDb, folder: Path) -> list[Credential]:
    """Make the databases and every user; `folder/<purpose>/taishi_influxdb_token` holds `user:password`.

    An InfluxDB that has no administrator yet gets the one of `influxdb_token`.

    Raises:
        SettingsError: it is a 2.x, or the credential is not an administrator's.
        httpx.HTTPError: InfluxDB cannot be asked now.
    """
    settings = store.settings
    if settings.org or ":" not in settings.token:
        raise SettingsError(
            f"influxdb_token: received {'one' if settings.token else 'none'} that is no user:password, or "
            "influxdb_org beside it, allowed: the administrator's of a 1.8 (a 2.x has `taishi store tokens`)"
        )
    known = _users(store)
    store.create_database()  # a right to a database that is not there is none
    made = list(credentials(settings.database, settings.care_database))
    for credential in made:
        user, _, password = _kept(folder / credential.purpose / _FILE, credential.user).partition(":")
        if user != credential.user:
            raise SettingsError(f"{folder}: received a file of {user!r}, allowed: of {credential.user!r}")
        for statement in statements(credential, password, known):
            store.administer(statement)
    return made


def _users(store: InfluxDb) -> set[str]:
    try:
        rows = store.query("SHOW USERS")
    except SettingsError as error:
        if _NO_ADMINISTRATOR not in str(error):
            raise
        user, _, password = store.settings.token.partition(":")
        store.administer(first_administrator(user, password))
        rows = store.query("SHOW USERS")
    return {str(row["user"]) for row in rows}


def _kept(file: Path, user: str) -> str:
    """What the file says; made with a new password where there is none."""
    if not file.is_file():
        write_secret(file, f"{user}:{secrets.token_urlsafe(24)}")
    return file.read_text(encoding="utf-8").strip()
