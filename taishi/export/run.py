"""One export: asked, audited, written beside its place, put there whole.

What a death between any two lines leaves:
- before `export.begin` is recorded: nothing;
- then, until the rename: that entry without its second, a `.FILE.PID.part`, no FILE (or the old one);
- after what lies beside it (a CSV's metadata) took its name: that, and no FILE (or the old one);
- after FILE took its name: FILE, whole, and who took it; only `export.write` is not said.
So there is never half a file under its name, nor a file nobody is known to have taken.
"""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from schemas.calendar import local
from schemas.errors import SettingsError, TaishiError
from schemas.store import window_name
from taishi.analysis.blocks import Census
from taishi.analysis.boundaries import Boundaries
from taishi.analysis.district import District
from taishi.analysis.question import Question
from taishi.analysis.table import table
from taishi.export.audit import Audit
from taishi.export.describe import Wholeness, description
from taishi.export.geojson import GeoJsonFile
from taishi.export.writers import CsvFile, ParquetFile, Writer

__all__ = ["FORMATS", "Exported", "checked_target", "default_name", "export"]

FORMATS: Final = (".csv", ".parquet", ".geojson")
Progress = Callable[[int, int], None]
"""Told windows × places done, of how many."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What became of it; `described` is the description the file carries."""

    path: Path
    size_bytes: int
    sha256: str
    took_s: float
    described: dict[str, Any]


def default_name(question: Question) -> str:
    """`parking-district-20261126.csv`: domain, level and days, where no file is named."""
    begin, end = (local(ms) for ms in (question.extent_ms[0], question.extent_ms[1] - 1))
    days = f"{begin:%Y%m%d}" + (f"-{end:%Y%m%d}" if end.date() != begin.date() else "")
    return f"{question.domain}-{question.level}-{days}.csv"


def checked_target(path: Path, *, replace: bool) -> Path:
    """The path, if a file of our formats can be written there; SettingsError says why not."""
    if path.suffix.lower() not in FORMATS:
        raise SettingsError(
            f"out: received {str(path)!r}, allowed: a name that ends with {', '.join(FORMATS)}"
        )
    if not path.parent.is_dir():
        raise SettingsError(f"out: received {str(path)!r}; {str(path.parent)!r} is no folder")
    if path.is_dir() or (path.exists() and not replace):
        raise SettingsError(
            f"out: {str(path)!r} is there already; --force replaces it (what it holds may be gone)"
        )
    return path


def export(
    district: District,
    question: Question,
    target: Path,
    *,
    reason: str = "",
    progress: Progress = lambda _done, _of: None,
) -> Exported:
    """Write the file; TaishiError if there is nothing to write, or InfluxDB does not tell all of it."""
    begun_s, export_id = time.monotonic(), uuid.uuid4().hex[:12]
    census = district.census(question)
    if not any(map(question.takes, census.windows)):
        raise TaishiError(district.nothing(question))
    audit = Audit(district.settings)
    audit.begin(export_id, **_asked(question, target, reason))
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        writer = _writer(target.suffix.lower(), unfinished, question, district.boundaries)
        whole = _written(district, question, census, writer, progress)
        described = description(question, whole, district.boundaries, export_id, datetime.now(UTC))
        beside = writer.finish(described)
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        for name, content in beside.items():
            _put(target.with_name(target.name + name), content)
        unfinished.replace(target)
    except BaseException as error:
        unfinished.unlink(missing_ok=True)
        audit.failed(export_id, str(error) or type(error).__name__)
        raise
    size = target.stat().st_size
    audit.written(export_id, rows=described["rows"], bytes=size, sha256=digest)
    return Exported(target, size, digest, time.monotonic() - begun_s, described)


def _writer(suffix: str, path: Path, question: Question, boundaries: Boundaries) -> Writer:
    if suffix == ".csv":
        return CsvFile(path, question)
    return ParquetFile(path, question) if suffix == ".parquet" else GeoJsonFile(path, question, boundaries)


def _written(
    district: District, question: Question, census: Census, writer: Writer, progress: Progress
) -> Wholeness:
    """Give the writer every block; how whole they were. A writer that gets no more is closed."""
    whole, boundaries = Wholeness(), district.boundaries
    windows = (question.extent_ms[1] - question.extent_ms[0]) // question.window_ms
    total = windows * sum(map(question.takes, census.windows))
    try:
        for block in district.read(question, census):
            rows = table(question, block, boundaries)
            writer.take(block, rows)
            whole.count(block, rows, boundaries)
            progress(whole.rows, total)
    except BaseException:
        writer.close()
        raise
    return whole


def _put(path: Path, content: bytes) -> None:
    """Put a small file in its place, whole."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def _asked(question: Question, target: Path, reason: str) -> dict[str, Any]:
    begin_ms, end_ms = question.extent_ms
    return {
        "domain": question.domain,
        "metrics": [figure.name for figure in question.figures],
        "level": question.level,
        "places": [place.code for place in question.within],
        "from": local(begin_ms).isoformat(),
        "to": local(end_ms).isoformat(),
        "window": window_name(question.window_s),
        "small_counts": question.small_counts,
        "reason": reason,
        "file": str(target.absolute()),
    }
