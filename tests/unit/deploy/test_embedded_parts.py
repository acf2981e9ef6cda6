"""The stack as data: which parts, in which order, with which ports, and the plan that travels."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.embedded import influxdb, kafka, stack
from deploy.embedded.parts import Plan, ordered, read_plan, write_plan
from deploy.embedded.settings import METRICS_OFFSETS, StackSettings
from schemas.errors import SettingsError
from taishi.settings import Settings
from taishi.stack_settings import environment_of, stack_settings


@pytest.fixture
def settings(tmp_path: Path) -> StackSettings:
    return stack_settings(Settings(home=tmp_path, cache=tmp_path / "cache"))


def names(settings: StackSettings, demo: bool = True) -> list[str]:
    return [part.name for part in stack.declared(settings, Path("java"), demo)]


def test_every_part_comes_after_what_it_needs(settings: StackSettings) -> None:
    seen: set[str] = set()
    for part in stack.declared(settings, Path("java")):
        assert set(part.needs) <= seen, part.name
        seen.add(part.name)
    assert set(stack.APPS) <= seen


def test_the_demo_is_the_only_difference(settings: StackSettings) -> None:
    assert set(names(settings)) - set(names(settings, demo=False)) == {"simulate"}


@pytest.mark.parametrize(
    ("given", "gone"),
    [
        ({"kafka_address": "kafka.example:9092"}, {"kafka"}),
        ({"influxdb_address": "http://influx.example:8086"}, {"influxdb"}),
        ({"mqtt_address": "mqtt.example:1883"}, {"mqtt"}),
    ],
)
def test_a_part_with_an_address_of_ones_own_is_not_started(given: dict[str, str], gone: set[str]) -> None:
    everything = names(stack_settings(Settings()))
    assert set(everything) - set(names(stack_settings(Settings(**given)))) == gone  # type: ignore[arg-type]


def test_only_brings_the_needs_and_refuses_unknown_names(settings: StackSettings) -> None:
    parts = stack.declared(settings, Path("java"))
    assert [part.name for part in ordered(parts, ["influxdb-database"])] == ["influxdb", "influxdb-database"]
    with pytest.raises(SettingsError, match=r"received 'redis', allowed: kafka, influxdb"):
        ordered(parts, ["redis"])


def test_no_two_parts_share_a_port(settings: StackSettings) -> None:
    ports = [port for part in stack.declared(settings, Path("java")) for port in part.ports.values()]
    ports.append(settings.metrics_of("supervisor"))
    assert len(ports) == len(set(ports))
    assert len(set(METRICS_OFFSETS.values())) == len(METRICS_OFFSETS)


def test_the_plan_travels_unchanged_and_is_the_owners_alone(settings: StackSettings) -> None:
    plan = Plan(stack.declared(settings, Path("java")), settings.metrics_port)
    path = write_plan(settings.home, plan)
    assert read_plan(settings.home) == plan
    assert path.stat().st_mode & 0o077 == 0


def test_children_see_the_very_settings_of_the_parent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    parent = Settings(home=tmp_path, window_s=(5, 30), delay_s=1.5, influxdb_token="a:b")  # noqa: S106 - no secret
    for name, value in environment_of(parent).items():
        monkeypatch.setenv(name, value)
    assert Settings() == parent


def test_kafka_is_told_what_the_design_rests_on(settings: StackSettings) -> None:
    properties = kafka.properties(settings)
    assert properties["auto.create.topics.enable"] == "false"
    assert properties["log.message.timestamp.type"] == "LogAppendTime"
    assert properties["message.max.bytes"] == properties["replica.fetch.max.bytes"] == "33554432"
    assert all("127.0.0.1" in properties[name] for name in ("listeners", "advertised.listeners"))


def test_influxdb_listens_on_loopback_and_tells_nobody(settings: StackSettings) -> None:
    text = influxdb.configuration(settings)
    assert f'bind-address = "127.0.0.1:{settings.influxdb_port}"' in text
    assert "reporting-disabled = true" in text
    assert str(settings.data) in text
