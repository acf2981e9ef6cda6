"""The README's requests, run as they stand against real parts; only the ports are others."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from schemas.kinds import DOMAINS
from schemas.measures import MEASURES

if TYPE_CHECKING:
    from tests.conftest import Stack

pytestmark = pytest.mark.stack

README = Path(__file__).resolve().parents[2] / "README.md"
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
QUERIES = [block for block in BLOCKS if block.startswith("curl ") and "/query" in block]
POSTS = [block for block in BLOCKS if block.startswith("curl ") and "/readings" in block]
REGISTRY = "device,model,kind,grid,longitude,latitude,crs,subject,capacity,simulated\n"
SOURCE = re.compile(r'FROM (?:\\?"(\w+)\\?"\.)?(\w+)')
PLACES = re.compile(r"level = '(\w+)' AND place = '(\d+)'")


def answer_to(request: str, written_port: int, port: int) -> dict[str, object]:
    """Run a block in a shell and read the JSON it prints."""
    here = request.replace(f"127.0.0.1:{written_port}", f"127.0.0.1:{port}")
    done = subprocess.run(["bash", "-c", here], capture_output=True, text=True, check=True, timeout=30)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def seeded(stack: Stack) -> Stack:
    """One window of every domain at the places the README asks for."""
    now_s = int(time.time()) // 60 * 60
    places = {match for block in QUERIES for match in PLACES.findall(block)}
    for policy in ("1m", "1h"):
        lines = [
            f"{domain},level={level},place={place},window={policy} "
            + ",".join(f"{measure.name}=1" for measure in MEASURES[domain])
            + f",occupancy=0.5 {now_s}"
            for domain in DOMAINS
            for level, place in places
        ]
        answer = httpx.post(
            f"{stack.influxdb_url}/api/v2/write",
            params={"org": "taishi", "bucket": f"{stack.influxdb_database}/{policy}", "precision": "s"},
            content="\n".join(lines),
        )
        assert answer.status_code == 204, answer.text
    return stack


def test_the_readme_asks_for_every_level_and_every_domain() -> None:
    assert {level for block in QUERIES for level, _ in PLACES.findall(block)} == {
        "district",
        "street",
        "community",
        "grid",
    }
    assert {SOURCE.search(block)[2] for block in QUERIES} == set(DOMAINS)


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: "-".join(SOURCE.search(query).groups("1m")))
def test_the_query_answers_with_every_column_it_names(seeded: Stack, query: str) -> None:
    (result,) = answer_to(query, 18086, seeded.settings.influxdb_port)["results"]
    (series,) = result["series"]
    wanted = re.search(r"SELECT (.+?) FROM", query)[1].split(", ")
    assert series["columns"] == ["time", *wanted]
    assert None not in series["values"][0]


@pytest.fixture
def http_port(stack: Stack) -> Iterator[int]:
    """The port of an HTTP connector of the stack's, with an empty device registry, once it listens."""
    (stack.settings.home / "devices.csv").write_text(REGISTRY, encoding="utf-8")
    log = stack.settings.logs / "readme-connect-http.log"
    with stack.start("connect", "http", log=log) as process:
        deadline_s = time.monotonic() + 30
        while "http listening" not in log.read_text(encoding="utf-8"):
            assert process.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline_s
            threading.Event().wait(0.1)
        yield stack.settings.http_port
        process.terminate()


def test_the_reading_is_accepted(http_port: int) -> None:
    assert [answer_to(post, 18080, http_port) for post in POSTS] == [{"readings": 1, "signals": 0}]
