"""SQL over exported Parquet files with DuckDB: a view a domain, and nothing else can be reached.

The files are opened here and given to DuckDB as Arrow datasets. Then it may open nothing: no file to read or
to write, no network, no extension, no other database, no variable of Python; and its settings are locked.
Only one SELECT is taken at a time. Nothing spills to disk: a question that needs more memory
than there is fails.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from schemas.calendar import ZONE
from schemas.errors import SettingsError, TaishiError
from schemas.kinds import DOMAINS
from taishi.export.writers import METADATA_KEY

__all__ = ["ExportedFile", "SqlDoor", "exported_files", "overlaps"]

_LOCKS: Final = (
    f"SET TimeZone = '{ZONE}'",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET python_enable_replacements = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A Parquet file that `taishi export` wrote: its description, and its columns."""

    path: Path
    described: dict[str, Any]
    schema: pa.Schema

    @property
    def domain(self) -> str:
        """The view it belongs to."""
        return str(self.described["domain"])


def exported_files(folder: Path) -> tuple[list[ExportedFile], list[Path]]:
    """The exports among the Parquet files of a folder, by name; and those that are none of ours."""
    if not folder.is_dir():
        raise SettingsError(f"from: received {str(folder)!r}, allowed: a folder with exported Parquet files")
    found, others = [], []
    for path in sorted(folder.glob("*.parquet")):
        try:
            footer = pq.read_metadata(path)
        except (pa.ArrowInvalid, OSError):
            others.append(path)
            continue
        if said := (footer.metadata or {}).get(METADATA_KEY.encode()):
            found.append(ExportedFile(path, json.loads(said), footer.schema.to_arrow_schema()))
        else:
            others.append(path)
    return found, others


def overlaps(files: Sequence[ExportedFile]) -> list[tuple[ExportedFile, ExportedFile]]:
    """Pairs of files that have rows of the same places and windows: a sum over both counts them twice."""
    return [(one, other) for one, other in combinations(files, 2) if _overlap(one.described, other.described)]


def _overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    alike = all(one[name] == other[name] for name in ("domain", "level", "window"))
    at_once = one["from"] < other["to"] and other["from"] < one["to"]
    return (
        alike
        and at_once
        and any(a.startswith(b) or b.startswith(a) for a in one["within"] for b in other["within"])
    )


class SqlDoor:
    """Read-only SQL: the views `parking`, `security`, `care`, `governance`, those that files are there for.

    Each has the columns of all its files, and `file`: the name of the file a row is of.
    """

    def __init__(self, files: Iterable[ExportedFile]) -> None:
        self._connection = duckdb.connect(config={"temp_directory": ""})
        by_domain: dict[str, list[str]] = {}
        for number, file in enumerate(files):
            self._connection.register(f"file_{number}", ds.dataset(file.path))
            by_domain.setdefault(file.domain, []).append(
                f"SELECT *, {_quoted(file.path.name)} AS file FROM file_{number}"  # noqa: S608 - quoted
            )
        for domain in DOMAINS:
            if selects := by_domain.get(domain):
                self._connection.execute(f"CREATE VIEW {domain} AS {' UNION ALL BY NAME '.join(selects)}")
        for lock in _LOCKS:
            self._connection.execute(lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def ask(self, query: str) -> pa.RecordBatchReader:
        """The rows, as they are asked for; TaishiError says what is wrong with the query, or was refused."""
        try:
            statements = self._connection.extract_statements(query)
            kinds = [statement.type.name for statement in statements]
            if kinds != ["SELECT"]:
                raise SettingsError(f"sql: received {' and '.join(kinds) or 'nothing'}, allowed: one SELECT")
            return self._connection.sql(query).to_arrow_reader(10_000)
        except duckdb.Error as error:
            raise TaishiError(f"sql: {error}") from error


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
