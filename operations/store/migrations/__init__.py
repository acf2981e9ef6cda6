"""The schema of the desk's database, step by step (Alembic), taken by itself when a database is opened.

A step is a file in `versions/`; it is frozen: what comes later is another step, and `HEAD` names the last.
All steps a database lacks are one transaction, also on SQLite, and one process takes them at a time: a
death in the middle leaves the database as it was. Going back is not offered: restore a copy.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sql

from schemas.errors import SettingsError

__all__ = ["HEAD", "migrate"]

HEAD: Final = "0012"
"""The last step; a test compares it with the files."""
_LOCK: Final = 370_202_007
"""Of PostgreSQL's advisory locks, ours."""


def migrate(engine: sql.Engine) -> None:
    """Bring the database to `HEAD`; SettingsError where it was made by a newer Taishi, or by none."""
    with engine.connect() as connection:
        if _version(connection) == HEAD:
            return
    with engine.connect() as connection:
        _alone(connection)
        version = _version(connection)
        if version != HEAD:
            _upgrade(connection, version)
        connection.commit()


def _alone(connection: sql.Connection) -> None:
    """Begin a transaction that no other process migrates beside."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(sql.select(sql.func.pg_advisory_xact_lock(_LOCK)))


def _version(connection: sql.Connection) -> str:
    """The step it is at; "" where none was taken."""
    if not sql.inspect(connection).has_table("alembic_version"):
        return ""
    return connection.execute(sql.text("SELECT version_num FROM alembic_version")).scalar() or ""


def _upgrade(connection: sql.Connection, version: str) -> None:
    from alembic import command  # noqa: PLC0415 - a database that is up to date needs no Alembic
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "operations.store:migrations")
    config.set_main_option("path_separator", "os")
    known = [step.revision for step in ScriptDirectory.from_config(config).walk_revisions()]
    if version and version not in known:
        raise SettingsError(
            f"operations_database: received a schema at step {version!r}, made by a newer Taishi, allowed: "
            f"up to {HEAD}; install that Taishi again, or restore a copy of the database"
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
