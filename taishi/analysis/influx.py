"""InfluxDB's answers as Arrow columns: its CSV, read by Arrow."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.csv as pacsv

from operations.influxql import InfluxQl, Series
from schemas.errors import TaishiError

__all__ = ["Store"]

_TIME: Final = {"time": pa.int64(), "tags": pa.dictionary(pa.int32(), pa.string())}


@dataclass(frozen=True, slots=True)
class Store:
    """One database of an InfluxDB. Each question's answer is held in memory: keep it small."""

    influx: InfluxQl
    database: str

    def series(self, statement: str) -> list[Series]:
        """The series of a statement whose answer is short; UnavailableError if InfluxDB does not tell."""
        (found,) = self.influx.ask(self.database, statement)
        return found

    def columns(self, statement: str, types: Mapping[str, pa.DataType]) -> pa.Table | None:
        """The rows of a SELECT; None if there are none.

        Columns: `time` (epoch ms), `tags` (`place=370202`: what is grouped by), those of `types`; one that
        InfluxDB does not know is empty. UnavailableError if InfluxDB does not tell.
        """
        body = self.influx.csv(self.database, statement)
        if not body:
            return None
        options = pacsv.ConvertOptions(
            column_types={**_TIME, **types},
            include_columns=[*_TIME, *types],
            include_missing_columns=True,
            strings_can_be_null=True,
        )
        parsing = pacsv.ParseOptions(newlines_in_values=True)
        try:
            return pacsv.read_csv(io.BytesIO(body), parse_options=parsing, convert_options=options)
        except pa.ArrowInvalid as error:
            raise TaishiError(f"InfluxDB gave no CSV: {body[:80]!r} ({error})") from error

    def everything(self, statement: str) -> pa.Table | None:
        """As `columns`, of a SELECT *: every field there is, as numbers where all of it is."""
        body = self.influx.csv(self.database, statement)
        return pacsv.read_csv(io.BytesIO(body)) if body else None
