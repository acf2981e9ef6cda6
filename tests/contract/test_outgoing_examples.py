"""The examples of docs/outgoing.md, run as they stand, against the doors with their senders file."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from click.testing import CliRunner
from defusedxml import ElementTree

from deploy.embedded.ports import free_ports
from operations.outgoing.app import application
from operations.outgoing.entities import Entity, entities
from operations.outgoing.geography import Geography
from operations.outgoing.rows import PlaceRow
from schemas.alerts import Alert
from schemas.errors import SettingsError
from schemas.places.registry import PlaceRegistry, known_places
from schemas.places.synthetic import synthetic_layer
from taishi.cli.senders import senders
from taishi.outgoing import admission
from taishi.settings import load_settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "outgoing.md"
EXAMPLES = dict(re.findall(r"<!-- example: (\w+) -->\n```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL))
GEOGRAPHY = Geography(PlaceRegistry(known_places("370202"), synthetic_layer("370202")))
PLACES = {"district": "370202", "street": "370202001", "grid": "370202001001001"}
NOW_MS = 1_763_872_200_000
LIMIT_S = 20.0


class Shelf:
    def entities(self) -> list[Entity]:
        values = {"spaces": 9.0, "occupied": 4.0, "unknown": 0.0}
        rows = [PlaceRow("parking", level, place, NOW_MS, 60, values) for level, place in PLACES.items()]
        return entities(rows, GEOGRAPHY)

    def alerts(self) -> list[Alert]:
        return [
            Alert(id="a1", rule="signal.smoke", severity="life_safety", domain="security", level="grid",
                  place=PLACES["grid"], onset_ms=NOW_MS, active=True, title="烟雾报警 smoke")
        ]  # fmt: skip


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """URL and the token of the page's own sender."""
    file = tmp_path_factory.mktemp("outgoing") / "senders.toml"
    words = re.search(r"taishi senders add (.*)", PAGE.read_text("utf-8"))
    assert words
    made = CliRunner(env={"TAISHI_SENDERS_FILE": str(file), "TAISHI_HOME": str(file.parent)}).invoke(
        senders, ["add", *words[1].split(), "--json"]
    )
    said = json.loads(made.stdout)
    app = application(Shelf(), GEOGRAPHY, admission(load_settings(senders_file=file)))
    (port,) = free_ports(1)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    tick = threading.Event()
    while not server.started:
        tick.wait(0.02)
    yield {"URL": f"http://127.0.0.1:{port}", "TOKEN": said["secret"]}
    server.should_exit = True
    thread.join(LIMIT_S)


def run(name: str, door: dict[str, str], **further: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", EXAMPLES[name]],
        env=dict(os.environ) | door | {"no_proxy": "*"} | further,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def test_free_spaces(door: dict[str, str]) -> None:
    (grid,) = json.loads(run("free", door).stdout)
    assert grid["availableSpotNumber"] == 5
    assert grid["id"].endswith(PLACES["grid"])


def test_one_entity(door: dict[str, str]) -> None:
    entity = json.loads(run("one", door).stdout)
    assert entity["totalSpotNumber"]["value"] == 9
    assert entity["@context"][0] == f"{door['URL']}/context.jsonld"


def test_types(door: dict[str, str]) -> None:
    assert json.loads(run("types", door).stdout)["typeList"] == ["OffStreetParking"]


def test_alerts(door: dict[str, str]) -> None:
    feed = ElementTree.fromstring(run("feed", door).stdout)
    assert len(feed.findall("{*}entry")) == 1
    message = ElementTree.fromstring(run("alert", door, ALERT="a1").stdout)
    assert message.findtext("{*}msgType") == "Alert"


@pytest.mark.parametrize("name", EXAMPLES)
def test_another_token_is_told_nothing(name: str, door: dict[str, str]) -> None:
    refused = run(name, door | {"TOKEN": "x" * 43}, ALERT="a1")
    assert (refused.returncode, refused.stdout) == (22, "")
    assert "401" in refused.stderr


def test_an_open_door_for_others_does_not_start() -> None:
    with pytest.raises(SettingsError, match=r"outgoing_host: received 0\.0\.0\.0 without"):
        admission(load_settings(outgoing_host="0.0.0.0"))  # noqa: S104 - what is refused
