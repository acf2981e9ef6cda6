"""Rows into a file as they come: CSV and Parquet. The file is not there until `taishi.export.run` says so."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from schemas.calendar import ZONE
from taishi.analysis.blocks import Block
from taishi.analysis.question import Question
from taishi.analysis.table import schema_of

__all__ = ["METADATA_KEY", "CsvFile", "ParquetFile", "Writer"]

METADATA_KEY: Final = "taishi"
"""Under which a Parquet file carries its description (JSON)."""


class Writer(Protocol):
    """A file that is being written."""

    def take(self, block: Block, rows: pa.Table) -> None:
        """The next block, and the same as rows."""

    def finish(self, description: dict[str, Any]) -> dict[str, bytes]:
        """Write what is left and close; returns what files beside it hold, by what their names add."""

    def close(self) -> None:
        """Give up what is open; nothing is finished."""


class ParquetFile:
    """One row group a block, zstd; units and meaning at the fields, the description as key `taishi`."""

    def __init__(self, path: Path, question: Question) -> None:
        self._writer = pq.ParquetWriter(path, schema_of(question), compression="zstd")

    def take(self, block: Block, rows: pa.Table) -> None:  # noqa: ARG002 - every writer is given both
        """Write the rows."""
        self._writer.write_table(rows, row_group_size=rows.num_rows)

    def finish(self, description: dict[str, Any]) -> dict[str, bytes]:
        """Write the footer; nothing lies beside."""
        self._writer.add_key_value_metadata({METADATA_KEY: json.dumps(description, ensure_ascii=False)})
        self._writer.close()
        return {}

    def close(self) -> None:
        """Close the file as it is."""
        self._writer.close()


class CsvFile:
    """RFC 4180 in UTF-8 with a header; ISO 8601 times, nothing for none. What it holds lies beside (CSVW)."""

    def __init__(self, path: Path, question: Question) -> None:
        self._schema = schema_of(question)
        self._writer: pacsv.CSVWriter | None = None
        self._path = path

    def take(self, block: Block, rows: pa.Table) -> None:  # noqa: ARG002 - every writer is given both
        """Write the rows."""
        told = rows.set_column(0, "start", _isoformat(rows["start"]))
        if self._writer is None:
            self._writer = pacsv.CSVWriter(
                self._path, told.schema, write_options=pacsv.WriteOptions(quoting_style="needed")
            )
        self._writer.write_table(told)

    def finish(self, description: dict[str, Any]) -> dict[str, bytes]:
        """Close; beside it lies its metadata, W3C's Metadata Vocabulary for Tabular Data."""
        self.close()
        columns = [_column(self._schema.field(name)) for name in self._schema.names]
        document = {
            "@context": "http://www.w3.org/ns/csvw",
            "tableSchema": {"columns": columns, "primaryKey": ["start", "place"]},
            "notes": [{"taishi": description}],
        }
        return {"-metadata.json": json.dumps(document, ensure_ascii=False, indent=1).encode()}

    def close(self) -> None:
        """Close the file as it is."""
        if self._writer is not None:
            self._writer.close()


_TYPES: Final = {
    pa.string(): "string",
    pa.int64(): "integer",
    pa.float64(): "double",
    pa.bool_(): "boolean",
    pa.date32(): "date",
}


def _column(field: pa.Field) -> dict[str, Any]:
    said = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
    column = {
        "name": field.name,
        "datatype": _TYPES.get(field.type, "dateTimeStamp"),
        "dc:description": said["description"],
    }
    return column | ({"schema:unitCode": said["unit"]} if "unit" in said else {})


def _isoformat(moments: pa.ChunkedArray) -> pa.Array:
    """`2026-11-20T08:00:00+08:00`; each moment is formatted once."""
    encoded = moments.combine_chunks().dictionary_encode()
    texts = [
        datetime.fromtimestamp(at_ms / 1000, ZONE).isoformat()
        for at_ms in encoded.dictionary.cast(pa.int64()).to_pylist()
    ]
    return pa.array(texts, pa.string()).take(encoded.indices)
