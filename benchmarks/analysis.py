"""Exports and frames at full size: rows a second, peak memory, and how fast InfluxDB's answers are read.

`python -m benchmarks.analysis [--days 30] [--json]`: 573 grids, 1 min windows, occupancy and arrivals,
against a stand-in for `/query` in another process that answers at once: what is measured is this side.
`--live URL` asks an InfluxDB instead (database `taishi`), whose own time is then in it. Each export is a
process of its own, so that its peak memory is its own; that of 2 days stands beside that of `--days`. Only
ratios of one run compare.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import click
import numpy as np
import pandas as pd

from operations.influxql import InfluxQl
from schemas.places.synthetic import synthetic_layer
from taishi.analysis.district import District
from taishi.analysis.frames import windows as framed
from taishi.analysis.question import Question, Wish
from taishi.analysis.table import table
from taishi.export.run import export
from taishi.settings import load_settings

__all__ = ["main"]

GRIDS: Final = synthetic_layer("370202").codes
_MINUTE_MS: Final = 60_000


class _StandIn(BaseHTTPRequestHandler):
    """Answers the census and the windows of parking by grid: rows of one width, their times filled in."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)["q"][0]
        since, until = (int(part.split("ms")[0]) for part in query.replace("<", ">=").split("time >= ")[1:])
        starts = np.arange(since, until, _MINUTE_MS)
        if "count(" in query:
            series = [
                {"tags": {"place": grid}, "columns": ["time", "windows"], "values": [[0, starts.size]]}
                for grid in GRIDS
            ]
            self._answer(json.dumps({"results": [{"series": series}]}).encode())
        elif self.headers["Accept"] == "application/json":
            names = query.split("SELECT ")[1].split(" FROM")[0].replace('"', "").split(", ")
            values = [[int(start), *range(1, len(names) + 1)] for start in starts]
            series = [{"tags": {"place": g}, "columns": ["time", *names], "values": values} for g in GRIDS]
            self._answer(json.dumps({"results": [{"series": series}]}).encode())
        else:
            fields = query.split("SELECT ")[1].split(" FROM")[0].replace('"', "").replace(" ", "")
            self._answer(f"name,tags,time,{fields}\n".encode() + _rows(starts, fields.count(",") + 1))

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Quiet."""


def _rows(starts: np.ndarray[Any, Any], fields: int) -> bytes:
    values = "".join(f",{n % 10 + 1}" for n in range(fields))
    lines = "".join(f"parking,place={grid},0000000000000{values}\n" for grid in GRIDS).encode()
    width = len(lines) // len(GRIDS)
    cells = np.frombuffer(lines, np.uint8).reshape(len(GRIDS), 1, width).repeat(starts.size, axis=1)
    at = lines.index(b"0000000000000,")
    digits = starts[:, None] // 10 ** np.arange(12, -1, -1) % 10 + ord("0")
    cells[:, :, at : at + 13] = digits.astype(np.uint8)
    return cells.tobytes()


def _serve(port: Any) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _StandIn)
    port.send(server.server_address[1])
    server.serve_forever()


@contextmanager
def _influxdb(live: str | None) -> Iterator[str]:
    if live:
        yield live
        return
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()


def _asked(url: str, home: Path, days: int) -> tuple[District, Question]:
    district = District(load_settings(home=home, influxdb_address=url, influxdb_token=""))
    since = f"{days}d" if days else "3h"
    wish = Wish(["occupancy", "turnover"], level="grid", since=since, window="1m")
    return district, district.question(wish)


def _export(url: str, days: int, suffix: str) -> dict[str, Any]:
    """One export in this process."""
    with tempfile.TemporaryDirectory() as folder:
        district, question = _asked(url, Path(folder), days)
        began_s, cpu_s = time.perf_counter(), time.process_time()
        done = export(district, question, Path(folder) / f"x.{suffix}")
        took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    rows = done.described["rows"]
    return {
        "what": f"{suffix}, {days} days",
        "rows": rows,
        "rows_per_s": round(rows / took_s),
        "rows_per_cpu_s": round(rows / cpu_s),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "file_mib": round(done.size_bytes / 2**20, 1),
    }


def _read(url: str) -> list[dict[str, Any]]:
    """Three hours of every grid: as a frame by CSV, and the same figures by JSON and pandas alone."""
    with tempfile.TemporaryDirectory() as folder:
        district, question = _asked(url, Path(folder), 0)
        cpu_s, began_s = time.process_time(), time.perf_counter()
        blocks = district.read(question, district.census(question))
        frame = framed(question, [table(question, block, district.boundaries) for block in blocks])
        by_csv = _speed("frame of 3 h: CSV, Arrow", len(frame), began_s, cpu_s)
        cpu_s, began_s = time.process_time(), time.perf_counter()
        by_json = _speed("the same figures: JSON, pandas", len(_plainly(url, question)), began_s, cpu_s)
    return [by_csv, by_json]


def _plainly(url: str, question: Question) -> pd.DataFrame:
    """What one would write without this package, for half of the columns."""
    begin_ms, end_ms = question.extent_ms
    (found,) = InfluxQl(url, "", 300.0).ask(
        "taishi",
        'SELECT "occupied", "spaces", "unknown", "turnover" FROM "1m"."parking" '  # noqa: S608 - numbers
        f"WHERE level = 'grid' AND time >= {begin_ms}ms AND time < {end_ms}ms GROUP BY place",
    )
    frames = [pd.DataFrame(each["values"], columns=each["columns"]).assign(**each["tags"]) for each in found]
    frame = pd.concat(frames)
    frame["time"] = pd.to_datetime(frame["time"], unit="ms", utc=True).dt.tz_convert("Asia/Shanghai")
    frame["occupancy"] = frame["occupied"] / (frame["spaces"] - frame["unknown"])
    return frame


def _speed(what: str, rows: int, began_s: float, cpu_s: float) -> dict[str, Any]:
    return {
        "what": what,
        "rows": rows,
        "rows_per_s": round(rows / (time.perf_counter() - began_s)),
        "rows_per_cpu_s": round(rows / (time.process_time() - cpu_s)),
    }


@click.command()
@click.option(
    "--days", type=click.IntRange(1, 90), default=30, show_default=True, help="length of the long export"
)
@click.option("--live", metavar="URL", help="an InfluxDB that holds them, instead of the stand-in")
@click.option("--json", "as_json", is_flag=True, help="one JSON array")
@click.option("--one", hidden=True, help="one measurement in this process: csv, parquet or read")
def main(days: int, live: str | None, one: str | None, *, as_json: bool) -> None:
    """Measure exports of 2 and of --days days, and the reading of three hours."""
    if one:
        click.echo(json.dumps(_read(str(live)) if one == "read" else [_export(str(live), days, one)]))
        return
    with _influxdb(live) as url:
        measured = [
            result
            for what, length in (("parquet", 2), ("parquet", days), ("csv", 2), ("read", 1))
            for result in _in_a_process(url, what, length)
        ]
    if as_json:
        click.echo(json.dumps(measured))
        return
    for each in measured:
        figures = "  ".join(f"{name} {value:,}" for name, value in each.items() if name != "what")
        click.echo(f"{each['what']:32}{figures}")


def _in_a_process(url: str, what: str, days: int) -> list[dict[str, Any]]:
    words = ["-m", "benchmarks.analysis", "--one", what, "--days", str(days), "--live", url]
    done = subprocess.run([sys.executable, *words], stdout=subprocess.PIPE, check=True)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main()
