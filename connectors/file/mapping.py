"""The mapping of a recording: which column is what. One TOML file a recording; see `mappings/`.

Every key is checked when the file is read; an unknown one is refused by name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from schemas.errors import SettingsError, received_allowed
from schemas.kinds import METRICS, metric_key

__all__ = ["FileMapping", "Rule", "load_mapping", "shipped_mappings"]


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows where every column of `when` has that text give this metric.

    The value is the number in column `column`, or the one that `values` has for its text, or `value`.
    """

    kind: str
    metric: str
    when: dict[str, str] = {}
    column: str = ""
    values: dict[str, float] = {}
    value: float = 1.0


class FileMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How rows of a recording become observations.

    `device` are the columns whose texts, joined by `/` behind `prefix`, name the device; `subject` is
    the column that holds a pseudonym. `time_zone` counts for times without an offset. Recordings come
    from elsewhere, so `place = "spread"` gives each device (or subject) a grid of the district by a
    hash of its name; `place = "registry"` asks the device registry as for any other message.
    """

    name: str
    device: tuple[str, ...]
    time: str
    time_zone: str
    rules: tuple[Rule, ...]
    format: Literal["csv", "ndjson"] = "csv"
    encoding: str = "utf-8"
    delimiter: str = ","
    prefix: str = ""
    subject: str = ""
    place: Literal["spread", "registry"] = "spread"
    source: str = ""
    licence: str = ""

    def __post_init__(self) -> None:
        for rule in self.rules:
            if metric_key(rule.kind, rule.metric) not in METRICS:
                raise ValueError(received_allowed("rule", metric_key(rule.kind, rule.metric), METRICS))
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"time_zone: received {self.time_zone!r}, allowed: an IANA zone") from error

    def columns(self) -> set[str]:
        """Every column the mapping reads."""
        named = {*self.device, self.time, self.subject, *(rule.column for rule in self.rules)}
        return {column for column in (*named, *_when_columns(self.rules)) if column}


def _when_columns(rules: Iterable[Rule]) -> set[str]:
    return {column for rule in rules for column in rule.when}


def shipped_mappings() -> dict[str, Path]:
    """Mappings that come with the product, by name."""
    folder = Path(str(resources.files("connectors.file").joinpath("mappings")))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def load_mapping(name_or_path: str) -> FileMapping:
    """A shipped mapping by name, or one from a file; SettingsError says which key is wrong."""
    path = shipped_mappings().get(name_or_path, Path(name_or_path))
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), FileMapping)
    except OSError as error:
        allowed = (*shipped_mappings(), "a mapping file's path")
        raise SettingsError(received_allowed("mapping", name_or_path, allowed)) from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise SettingsError(f"mapping {str(path)!r}: {error}") from error
