"""Devices that nobody registered: listed once, across restarts and processes, bounded, and never a person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from connectors.auto_register import AutoRegister, auto_path, read_auto
from connectors.base import Decoded, Device, Location, Message, Observation
from connectors.gateway import Gateway
from connectors.resolve import Resolver
from schemas.errors import SettingsError
from taishi.cli.devices import devices as command
from taishi.settings import Settings

AT_MS = 1_795_392_000_000
SEEN = Observation("a", "parking.space", "occupied", 1.0, AT_MS, location=Location(120, 36, "WGS-84"))
KINDS = {"http.native": "parking.space"}
TRANSPORTS = get_args(get_args(Settings.model_fields["doors"].annotation)[0])
KNOWN = {"known": Device("known", "", "parking.space", "g", None, "", None, False)}


def named(device: str) -> Observation:
    return replace(SEEN, device=device)


def names(path: Path) -> list[str]:
    return [row["device"] for row in read_auto(path)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return auto_path(tmp_path / "devices.csv")


def test_a_newcomer_is_listed_once_across_restarts_and_processes(path: Path) -> None:
    first, second = AutoRegister(path, KINDS), AutoRegister(path, KINDS)
    first.saw("http.native", [SEEN, SEEN], KNOWN, AT_MS)
    second.saw("http.native", [SEEN, named("b")], KNOWN, AT_MS + 1)
    first.saw("http.native", [named("b"), named("c,\"d'")], KNOWN, AT_MS + 2)
    AutoRegister(path, KINDS).saw("http.native", [SEEN], KNOWN, AT_MS + 3)
    assert names(path) == ["a", "b", "c,\"d'"]
    assert read_auto(path)[0]["first_seen"] == "2026-11-23T00:00:00.000+00:00"
    said = [read_auto(path)[0][name] for name in ("longitude", "crs", "source")]
    assert said == ["120", "WGS-84", "http.native"]


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("mqtt.native", SEEN),
        ("http.native", named("known")),
        ("http.native", replace(SEEN, location=None)),
        ("http.native", replace(SEEN, personal=True)),
        ("http.native", replace(SEEN, kind="parking.lot")),
    ],
)
def test_others_are_not_listed(path: Path, source: str, seen: Observation) -> None:
    AutoRegister(path, KINDS).saw(source, [seen], KNOWN, AT_MS)
    assert not path.exists()


def test_the_list_is_bounded(path: Path) -> None:
    register = AutoRegister(path, KINDS, rows_max=2)
    register.saw("http.native", [named(name) for name in "abc"], KNOWN, AT_MS)
    register.saw("http.native", [named("d")], KNOWN, AT_MS)
    AutoRegister(path, KINDS, rows_max=2).saw("http.native", [named("e")], KNOWN, AT_MS)
    assert names(path) == ["a", "b"]


def test_a_kill_amid_the_write_costs_half_a_line_at_most(path: Path) -> None:
    AutoRegister(path, KINDS).saw("http.native", [named("a"), named("b")], KNOWN, AT_MS)
    whole = path.read_bytes()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        assert set(names(path)) <= {"a", "b"}
        AutoRegister(path, KINDS).saw("http.native", [named("a"), named("b")], KNOWN, AT_MS)
        assert path.read_bytes() == whole


def test_a_disk_that_refuses_does_not_raise(tmp_path: Path) -> None:
    AutoRegister(tmp_path / "absent" / "x.csv", KINDS).saw("http.native", [SEEN], KNOWN, AT_MS)
    assert not (tmp_path / "absent").exists()


@pytest.mark.parametrize(
    "kinds", [{"native": "parking.space"}, {"http.x": "parking.space"}, {"http.native": "x"}]
)
def test_a_setting_that_names_nothing_is_refused(path: Path, kinds: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="auto_register"):
        AutoRegister(path, kinds)


@pytest.mark.parametrize("transport", sorted(TRANSPORTS))
def test_every_transport_may_bring_newcomers(path: Path, transport: str) -> None:
    source = f"{transport}.native"
    AutoRegister(path, {source: "parking.space"}).saw(source, [SEEN], KNOWN, AT_MS)
    assert names(path) == ["a"]


class Reads:
    """A codec that says the same of each message."""

    def decode(self, message: Message, registry: object) -> Decoded:  # noqa: ARG002 - a codec's signature
        return Decoded((SEEN if message.payload else replace(SEEN, value=-9.0),))


class Square:
    def locate(self, lon: float, lat: float) -> str | None:  # noqa: ARG002 - one grid for all
        return "g"

    def has_grid(self, code: str) -> bool:
        return code == "g"


class Log:
    def deliver(self, records: tuple, on_done) -> None:  # noqa: ARG002 - keeps nothing
        on_done()


@pytest.mark.parametrize(("payload", "listed"), [(b"good", ["a"]), (b"", [])])
def test_the_door_lists_what_it_accepted_and_the_command_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, payload: bytes, listed: list[str]
) -> None:
    monkeypatch.setenv("TAISHI_DEVICES_FILE", str(tmp_path / "devices.csv"))
    register = AutoRegister(auto_path(tmp_path / "devices.csv"), KINDS)
    resolver = Resolver(KNOWN, Square())
    gateway = Gateway("http", {"native": Reads()}, KNOWN, resolver, Log(), newcomers=register)
    gateway.accept(Message(payload, "/readings", AT_MS), "native", lambda _: None)
    said = CliRunner().invoke(command, ["list", "--auto", "--json"], catch_exceptions=False)
    assert [row["device"] for row in json.loads(said.stdout)] == listed
    assert CliRunner().invoke(command, ["list", "--auto", "--grid", "1"]).exit_code == 2
