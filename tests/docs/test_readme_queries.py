"""The README's queries, run as they stand against a real InfluxDB; only the port is another."""

from __future__ import annotations

import json
import re
import subprocess
import time
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
QUERIES = [
    block
    for block in re.findall(
        r"^```sh\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    if block.startswith("curl ")
]
PLACES = re.compile(r"level = '(\w+)' AND place = '(\d+)'")


@pytest.fixture(scope="module")
def seeded(stack: Stack) -> Stack:
    """One window of every domain at the places the README asks for."""
    now_s = int(time.time()) // 60 * 60
    lines = [
        f"{domain},level={level},place={place},window=1m "
        + ",".join(f"{measure.name}=1" for measure in MEASURES[domain])
        + f",occupancy=0.5 {now_s}"
        for domain in DOMAINS
        for level, place in {match for block in QUERIES for match in PLACES.findall(block)}
    ]
    answer = httpx.post(
        f"{stack.influxdb_url}/api/v2/write",
        params={"org": "taishi", "bucket": stack.influxdb_database, "precision": "s"},
        content="\n".join(lines),
    )
    assert answer.status_code == 204, answer.text
    return stack


def test_the_readme_asks_for_a_district_a_street_and_a_grid_in_every_domain() -> None:
    assert {level for block in QUERIES for level, _ in PLACES.findall(block)} == {
        "district",
        "street",
        "grid",
    }
    assert {re.search(r"FROM (\w+)", block)[1] for block in QUERIES} == set(DOMAINS)


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: re.search(r"FROM (\w+)", query)[1])
def test_the_query_answers_with_every_column_it_names(seeded: Stack, query: str) -> None:
    here = query.replace("127.0.0.1:18086", f"127.0.0.1:{seeded.settings.influxdb_port}")
    done = subprocess.run(["bash", "-c", here], capture_output=True, text=True, check=True, timeout=30)
    (result,) = json.loads(done.stdout)["results"]
    (series,) = result["series"]
    wanted = re.search(r"SELECT (.+?) FROM", query)[1].split(", ")
    assert series["columns"] == ["time", *wanted]
    assert None not in series["values"][0]
