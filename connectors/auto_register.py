"""Devices that nobody registered and whose messages say where they stand: kept, once each, in a list to read.

The list, `devices.auto.csv` beside the registry, has the registry's columns, `source` and `first_seen`
(UTC). It registers nothing: such a device is accepted by its message's own location, with or without it.

Several connectors append to it, each under a lock and with one write. What a kill leaves behind: before the
write nothing, and the device's next message adds it; amid it half a line, which the next append cuts off.
An error of the disk is logged and costs the row, never the message.
"""

from __future__ import annotations

import csv
import fcntl
import io
import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

import structlog

from connectors.base import Devices, Observation
from connectors.codecs import codec_names
from connectors.registry import COLUMNS
from schemas.errors import SettingsError, received_allowed
from schemas.kinds import KINDS

__all__ = ["AUTO_COLUMNS", "ROWS_MAX", "AutoRegister", "auto_path", "newcomers", "read_auto"]

AUTO_COLUMNS: Final = (*COLUMNS, "source", "first_seen")
ROWS_MAX: Final = 100_000
"""Most devices the list holds; further ones are not kept."""

_TRANSPORTS: Final = ("mqtt", "http", "sip", "tcp", "poll")
_LOG = structlog.get_logger(__name__)


def auto_path(devices: Path) -> Path:
    """Where the list stands for a registry at that path."""
    return devices.with_name("devices.auto.csv")


def newcomers(kind: str, seen: Iterable[Observation], devices: Devices) -> dict[str, Observation]:
    """The first located observation of each device of that kind that is in no registry; never of a person."""
    found: dict[str, Observation] = {}
    for each in seen:
        fits = each.kind == kind and each.location is not None and not each.personal
        if fits and each.device.isprintable() and devices.get(each.device) is None:
            found.setdefault(each.device, each)
    return found


def read_auto(path: Path) -> list[dict[str, str]]:
    """The rows of the list, oldest first; none where there is no list."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error
    whole = text[: text.rfind("\n") + 1]
    return [
        {name: row.get(name) or "" for name in AUTO_COLUMNS} for row in csv.DictReader(whole.splitlines())
    ]


class AutoRegister:
    """Appends newcomers of the sources in `kinds` (source -> kind). May be called from any thread.

    SettingsError for a source or kind there is not.
    """

    def __init__(self, path: Path, kinds: Mapping[str, str], rows_max: int = ROWS_MAX) -> None:
        for source, kind in kinds.items():
            _check(source, kind)
        self._path, self._kinds, self._rows_max = path, dict(kinds), rows_max
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self._read_to = 0

    def saw(self, source: str, seen: Iterable[Observation], devices: Devices, at_ms: int) -> None:
        """Keep the devices of an accepted message that are new."""
        kind = self._kinds.get(source)
        if kind is None:
            return
        found = newcomers(kind, (each for each in seen if each.device not in self._known), devices)
        if not found:
            return
        with self._lock:
            if len(self._known) >= self._rows_max:
                return
            try:
                with self._path.open("a+b") as file:
                    fcntl.flock(file, fcntl.LOCK_EX)
                    self._append(file, found, source, at_ms)
            except OSError as error:
                _LOG.error("newcomers not kept", path=str(self._path), error=str(error))

    def _append(self, file: BinaryIO, found: Mapping[str, Observation], source: str, at_ms: int) -> None:
        self._catch_up(file)
        room = max(self._rows_max - len(self._known), 0)
        new = [each for name, each in found.items() if name not in self._known][:room]
        if not new:
            return
        text = "" if self._read_to else _line(AUTO_COLUMNS)
        data = (text + "".join(_line(_cells(each, source, at_ms)) for each in new)).encode()
        file.write(data)
        file.flush()
        self._read_to += len(data)
        self._known.update(each.device for each in new)
        if len(self._known) >= self._rows_max:
            _LOG.warning("list of newcomers is full", path=str(self._path), devices=len(self._known))

    def _catch_up(self, file: BinaryIO) -> None:
        """Read what others, or we before a restart, have appended; cut off half a line at the end."""
        size = file.seek(0, io.SEEK_END)
        if size < self._read_to:  # an operator began it anew
            self._known, self._read_to = set(), 0
        file.seek(self._read_to)
        added = file.read()
        whole = added[: added.rfind(b"\n") + 1]
        if len(whole) < len(added):
            file.truncate(self._read_to + len(whole))
        rows = csv.reader(whole.decode("utf-8", "replace").splitlines())
        self._known.update(row[0] for row in rows if row and tuple(row) != AUTO_COLUMNS)
        self._read_to += len(whole)


def _check(source: str, kind: str) -> None:
    transport, _, codec = source.partition(".")
    if transport not in _TRANSPORTS or codec not in codec_names():
        allowed = ("<transport>.<codec>", *_TRANSPORTS, *codec_names())
        raise SettingsError(received_allowed("auto_register source", source, allowed))
    if kind not in KINDS:
        raise SettingsError(received_allowed(f"auto_register kind of {source}", kind, KINDS))


def _cells(seen: Observation, source: str, at_ms: int) -> tuple[str, ...]:
    at = seen.location
    where = (repr(at.longitude), repr(at.latitude), at.crs) if at else ("", "", "")
    first_seen = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return (seen.device, "", seen.kind, "", *where, "", "", "false", source, first_seen)


def _line(cells: Iterable[str]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
