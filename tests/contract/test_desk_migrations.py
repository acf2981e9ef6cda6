"""Migrations of the desk's database: old, new, interrupted, and by many at once; SQLite and PostgreSQL."""

from __future__ import annotations

import subprocess
import sys

import pytest
import sqlalchemy as sql
from alembic.config import Config
from alembic.script import ScriptDirectory

from operations.oncall.store import Store
from operations.store import case_tables, migrations
from operations.store.migrations.versions import v0001_alerts
from operations.store.tables import METADATA
from schemas.errors import SettingsError


def steps() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", "operations.store:migrations")
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def test_the_head_that_is_named_is_that_of_the_files() -> None:
    assert steps().get_current_head() == migrations.HEAD


def shape(engine: sql.Engine) -> dict[str, list[str]]:
    """Each table's columns, indexes and constraints, as the database tells them."""
    found = sql.inspect(engine)
    return {
        name: sorted(
            str(sorted((key, str(value)) for key, value in each.items()))
            for each in (
                *found.get_columns(name),
                *found.get_indexes(name),
                *found.get_unique_constraints(name),
                *found.get_foreign_keys(name),
                found.get_pk_constraint(name),
            )
        )
        for name in found.get_table_names()
        if name != "alembic_version"
    }


def test_a_migrated_database_has_the_tables_that_the_code_uses(desk_url: str) -> None:
    Store(desk_url).close()
    engine = sql.create_engine(desk_url)
    migrated = shape(engine)
    assert case_tables.CASES.name in migrated
    METADATA.drop_all(engine)
    METADATA.create_all(engine)
    wanted = shape(engine)
    engine.dispose()
    assert migrated == wanted


def test_a_database_without_steps_is_taken_over_with_what_is_in_it(desk_url: str) -> None:
    engine = sql.create_engine(desk_url)
    v0001_alerts._TABLES.create_all(engine)  # as releases before Alembic did
    with engine.begin() as connection:
        connection.execute(sql.text("INSERT INTO progress (topic, next_offset) VALUES ('alerts', 7)"))
    engine.dispose()
    store = Store(desk_url)
    assert store.next_offset("alerts") == 7
    store.close()


def test_a_death_in_the_middle_leaves_the_database_as_it_was(
    desk_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dying:
        dying.setattr(sql.Connection, "commit", lambda _: pytest.fail("dies here"))
        with pytest.raises(pytest.fail.Exception):
            Store(desk_url)
    engine = sql.create_engine(desk_url)
    assert sql.inspect(engine).get_table_names() == []
    engine.dispose()
    Store(desk_url).close()


def test_a_database_of_a_newer_release_is_refused_with_what_is_allowed(desk_url: str) -> None:
    Store(desk_url).close()
    engine = sql.create_engine(desk_url)
    with engine.begin() as connection:
        connection.execute(sql.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(SettingsError, match=r"received a schema at step '9999', .* allowed: up to"):
        Store(desk_url)


def test_processes_that_open_an_empty_database_at_once_all_find_it_ready(desk_url: str) -> None:
    program = (
        "import sys; from operations.store.alerts import AlertRows as A; print(A(sys.argv[1]).parents())"
    )
    opened = [
        subprocess.Popen(
            [sys.executable, "-c", program, desk_url], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(4)
    ]
    said = [process.communicate(timeout=120) for process in opened]
    assert [out for out, _ in said] == [b"[]\n"] * 4, said
