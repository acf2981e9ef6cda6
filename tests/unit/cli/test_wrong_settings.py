"""Wrong settings are refused with where they stand, which they are, what came and what is allowed (T22)."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from schemas.errors import SettingsError
from taishi.settings import load_settings

LIMIT_S = 2.0
IN_THE_FILE = [
    # what the file says, the setting, what came, what of the allowed is named
    ('kafka_adress = "a:1"', "kafka_adress", "unknown setting", "kafka_address"),
    ('windows = "x"', "windows", "unknown setting", "window_s"),
    ('kafka_port = "x"', "kafka_port", "'x'", "integer"),
    ("kafka_port = 70000", "kafka_port", "70000", "65535"),
    ("kafka_port = 0", "kafka_port", "0", "1"),
    ("metrics_port = 65530", "metrics_port", "65530", "65515"),
    ("influxdb_port = 1.5", "influxdb_port", "1.5", "integer"),
    ("desk_port = []", "desk_port", "[]", "integer"),
    ("delay_s = -1", "delay_s", "-1", "0"),
    ("delay_s = nan", "delay_s", "nan", "finite"),
    ("delay_s = inf", "delay_s", "inf", "finite"),
    ("checkpoint_interval_s = inf", "checkpoint_interval_s", "inf", "finite"),
    ("checkpoint_interval_s = 0", "checkpoint_interval_s", "0", "greater than 0"),
    ("lateness_s = -1", "lateness_s", "-1", "0"),
    ("skew_max_s = -5", "skew_max_s", "-5", "0"),
    ('window_s = ["x"]', "window_s.0", "'x'", "integer"),
    ("simulated_devices = 0", "simulated_devices", "0", "1"),
    ("http_burst = 0", "http_burst", "0", "1"),
    ("device_rate_per_s = 0", "device_rate_per_s", "0", "greater than 0"),
    ('doors = ["mqt"]', "doors.0", "'mqt'", "'mqtt'"),
    ("doors = []", "doors", "[]", "at least 1"),
    ('district = "12"', "district", "'12'", r"\d{6}"),
    ("district = 370202", "district", "370202", "string"),
    ("home = 5", "home", "5", "path"),
    ('mqtt_address = "localhost"', "mqtt_address", "'localhost'", "pattern"),
    ('mqtt_address = "host:port"', "mqtt_address", "'host:port'", "pattern"),
    ('kafka_address = "localhost"', "kafka_address", "'localhost'", "pattern"),
    ('kafka_address = "a:1, b:2"', "kafka_address", "'a:1, b:2'", "pattern"),
    ('influxdb_address = "localhost:8086"', "influxdb_address", "'localhost:8086'", "https?"),
    ('influxdb_database = "a b"', "influxdb_database", "'a b'", r"\w"),
    ('worker_group = "a b"', "worker_group", "'a b'", "A-Za-z0-9"),
    ('mqtt_share = "a/b"', "mqtt_share", "'a/b'", "pattern"),
    ('mqtt_client_id = ""', "mqtt_client_id", "''", "at least 1"),
    ('http_routes = ["/x"]', "http_routes", "['/x']", "dictionary"),
    ("[http_routes]\n'/x' = 1", "http_routes./x", "1", "string"),
    ('desk = "perhaps"', "desk", "'perhaps'", "boolean"),
    ("influxdb_keep_days = {'2m' = 1}", "influxdb_keep_days", "'2m'", "10s"),
    ("influxdb_keep_days = {'1m' = 0.001}", "influxdb_keep_days", "'1m'", "an hour"),
    ("desk_keep_days = {x = 1}", "desk_keep_days", "'x'", "sessions"),
    ("desk_keep_days = {sessions = 1}", "desk_keep_days.sessions", "1", "at least 8"),
    ('mqtt_password = "changeme"', "mqtt_password", "sample password", "one of your own"),
]
OF_THE_ENVIRONMENT = [
    ("TAISHI_KAFKA_ADRESS", "x:1", "unknown variable", "TAISHI_KAFKA_ADDRESS"),
    ("TAISHI_DEVICE_FILE", "x", "unknown variable", "TAISHI_DEVICES_FILE"),
    ("TAISHI_KAFKA_PORT", "abc", "'abc'", "integer"),
    ("TAISHI_MQTT_ROUTES", "{bad", "'{bad'", "JSON"),
    ("TAISHI_DOORS", "mqtt", "'mqtt'", '["mqtt", "http"]'),
    ("TAISHI_WINDOW_S", "10,60", "'10,60'", "[10, 60, 3600]"),
    ("TAISHI_SETTINGS", "/nowhere.toml", "'/nowhere.toml'", "a file"),
    ("TAISHI_SECRETS_FOLDERS", "/nowhere", "/nowhere", "folders"),
]
UNREADABLE = {"cut": b"kafka_port = ", "twice": b"kafka_port = 1\nkafka_port = 2", "no UTF-8": b"\xff\xfe"}
SECRETS = [
    'influxdb_tokn = "hunter2hunter2"',
    "influxdb_token = ['hunter2hunter2']",
    "[polls]\ncamera = 'hunter2hunter2'",
    "http_token = {a = 'hunter2hunter2'}",
]


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting but those of the test: a folder without a file, an environment without a variable."""
    for name in [name for name in os.environ if name.startswith("TAISHI_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def refused() -> str:
    """What is said, in time, and nothing written."""
    before = sorted(Path().iterdir())
    began_s = time.thread_time()
    with pytest.raises(SettingsError) as refusal:
        load_settings()
    assert time.thread_time() - began_s < LIMIT_S
    assert sorted(Path().iterdir()) == before
    return str(refusal.value)


@pytest.mark.parametrize(("text", "name", "received", "allowed"), IN_THE_FILE)
def test_a_wrong_setting_of_the_file(text: str, name: str, received: str, allowed: str) -> None:
    Path("taishi.toml").write_text(text, "utf-8")
    said = refused()
    assert name in said
    assert received in said.partition("received")[2]
    assert allowed in said.partition("allowed: ")[2]


@pytest.mark.parametrize(("name", "value", "received", "allowed"), OF_THE_ENVIRONMENT)
def test_a_wrong_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, received: str, allowed: str
) -> None:
    monkeypatch.setenv(name, value)
    said = refused()
    assert said.removeprefix("settings: ").startswith(f"{name}: ")
    assert received in said.partition("received")[2]
    assert allowed in said.partition("allowed: ")[2]


def test_who_wins_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("mine.toml").write_text("kafka_port = 0\nmqtt_port = 0", "utf-8")
    monkeypatch.setenv("TAISHI_SETTINGS", "mine.toml")
    monkeypatch.setenv("TAISHI_KAFKA_PORT", "abc")
    said = refused()
    assert "TAISHI_KAFKA_PORT: kafka_port: received 'abc'" in said
    assert "mine.toml: mqtt_port: received 0" in said


@pytest.mark.parametrize("data", UNREADABLE.values(), ids=UNREADABLE)
def test_a_file_that_is_no_toml(data: bytes) -> None:
    Path("taishi.toml").write_bytes(data)
    said = refused()
    assert said.startswith("taishi.toml: received ")
    assert said.endswith("allowed: a TOML file in UTF-8")


@pytest.mark.parametrize("text", SECRETS)
def test_what_may_be_a_secret_is_not_repeated(text: str) -> None:
    Path("taishi.toml").write_text(text, "utf-8")
    assert "hunter2" not in refused()


def test_a_secret_in_a_variable_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAISHI_POLLS", "{hunter2")
    assert "hunter2" not in refused()


@pytest.mark.parametrize(
    "name", ["TAISHI_TRACEBACK", "TAISHI_SIMULATION_SEED", "TAISHI_DESK_SERVICE_PORT", "TAISHI_IMAGE"]
)
def test_others_may_have_variables_that_begin_like_ours(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")
    load_settings()
