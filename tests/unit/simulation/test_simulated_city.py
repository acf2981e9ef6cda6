"""The simulated city: the same seed the same bytes, the facts it reproduces, formats the connectors read."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from connectors.base import Decoded, Message, Rejected
from connectors.codecs import load_codecs
from connectors.registry import DeviceRegistry
from schemas.errors import SettingsError
from schemas.places.synthetic import synthetic_layer
from simulation.care import Care, home_gaps_s
from simulation.city import make_city, registry_csv
from simulation.events import Event
from simulation.faults import DEAD, LATE, MALFORMED, REPEATED, Faults, is_dead
from simulation.incidents import INCIDENTS, incident, parse_incident
from simulation.load import load_devices, load_messages
from simulation.parking import Parking
from simulation.vendors import encode
from simulation.vendors.outgoing import Outgoing
from simulation.world import World
from taishi.cli.simulate import simulate
from taishi.settings import Settings

README = Path(__file__).resolve().parents[3] / "README.md"
GRIDS = synthetic_layer().codes
SEED = 370202
MORNING_MS = 1_795_395_600_000  # 2026-11-23 09:00 in Shanghai
CITY = make_city(GRIDS, 2_000, SEED)


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    path = tmp_path_factory.mktemp("registry") / "devices.csv"
    path.write_text(registry_csv(CITY), "utf-8")
    return DeviceRegistry(path)


def decode(message, registry):
    codec = load_codecs([message.vendor], {})[message.vendor]
    return codec.decode(Message(message.payload, message.address, MORNING_MS), registry)


def minutes(world, count, start_ms=MORNING_MS):
    return [m for second in range(1, count * 60 + 1) for m in world.advance(start_ms + second * 1000)]


def test_the_same_seed_is_the_same_city_and_says_the_same_bytes():
    assert registry_csv(make_city(GRIDS, 2_000, SEED)) == registry_csv(CITY)
    one, again = (minutes(World(CITY, SEED, MORNING_MS), 2) for _ in range(2))
    assert one == again
    assert minutes(World(CITY, SEED + 1, MORNING_MS), 2) != one


def test_the_registry_is_taken_whole_and_says_that_everything_is_simulated(registry):
    assert registry.problems == ()
    devices = list(CITY.devices())
    assert len(registry) == len(devices) == pytest.approx(2_000, rel=0.05)
    assert all(registry.get(device.name).simulated for device in devices)


def test_what_the_city_says_is_understood_by_the_real_connectors(registry):
    refused = []
    kinds = set()
    messages = minutes(World(CITY, SEED, MORNING_MS), 10)
    for message in messages:
        decoded = decode(message, registry)
        if isinstance(decoded, Decoded):
            kinds |= {observation.kind for observation in decoded.observations}
        else:
            refused.append(decoded)
    assert len(refused) <= 5 * MALFORMED * len(messages) + 5
    assert kinds >= {"parking.space", "parking.lot", "care.activity", "care.bed", "care.environment",
                     "care.vitals", "security.access", "security.video_count"}  # fmt: skip


def test_names_and_cards_of_a_door_do_not_get_past_the_connector(registry):
    world = World(CITY, SEED, MORNING_MS)
    doors = [
        m for m in minutes(world, 10) if b"AccessControllerEvent" in m.payload and b"cardNo" in m.payload
    ]
    assert doors
    assert all("模拟居民" not in repr(decode(door, registry)) for door in doors)


def test_gaps_at_home_are_those_of_the_recording():
    rng = np.random.default_rng(SEED)
    gaps = home_gaps_s(rng, rng.lognormal(0.0, 0.6, 200_000), 9.0)
    assert np.percentile(gaps, 50) == pytest.approx(50, rel=0.10)
    assert np.percentile(gaps, 90) == pytest.approx(265, rel=0.15)


def test_a_day_at_home_has_as_many_events_and_as_quiet_a_night_as_the_recording():
    city = make_city(GRIDS, 6_000, SEED)
    midnight_ms = MORNING_MS - 9 * 3_600_000
    care = Care(city, np.random.default_rng(SEED), midnight_ms)
    by_hour, by_home = np.zeros(24), {}
    for minute in range(1, 24 * 60 + 1):
        for event in care.step(midnight_ms + minute * 60_000, 60.0):
            if event.what == "motion":
                by_hour[(minute - 1) // 60] += 1
                by_home[event.device.subject] = by_home.get(event.device.subject, 0) + 1
    assert np.median(list(by_home.values())) == pytest.approx(214, rel=0.4)
    assert by_hour[1:5].mean() < 0.6 * by_hour[8:12].mean()


def test_a_day_of_parking_keeps_its_occupancy_and_every_space_beats_once():
    parking = Parking(CITY, np.random.default_rng(SEED))
    beats = 0
    for minute in range(1, 24 * 60 + 1):
        beats += sum(e.what == "heartbeat" for e in parking.step(MORNING_MS + minute * 60_000, 60.0))
    assert parking.occupied.mean() == pytest.approx(0.6, abs=0.08)
    assert beats == len(CITY.spaces)


def test_faults_come_in_their_shares_and_late_ones_minutes_late():
    faults, count = Faults(np.random.default_rng(SEED)), 40_000
    plain = [
        Outgoing("mqtt", "chirpstack", f"t/{n}", b'{"time": "x", "devEui": "5a5a"}') for n in range(count)
    ]
    now = list(faults.apply(plain, 0))
    early = list(faults.apply([], 119_000))
    late = list(faults.apply([], 480_000))
    addresses = {message.address for message in now}
    assert early == []
    assert len(late) == pytest.approx(LATE * count, rel=0.3)
    assert len(now) - len(addresses) == pytest.approx(REPEATED * count, rel=0.3)
    broken = {message.address for message in now if message.payload != plain[0].payload}
    assert len(broken) == pytest.approx(MALFORMED * count, rel=0.6)
    dead = sum(is_dead(f"d{n}", SEED) for n in range(20_000))
    assert dead == pytest.approx(DEAD * 20_000, rel=0.25)


SIGNALS = {
    "fire": "smoke",
    "intrusion": "intrusion",
    "forced-door": "forced_door",
    "fall": "fall",
    "sos": "sos",
}


@pytest.mark.parametrize("name", INCIDENTS)
def test_an_incident_is_told_in_vendor_format_and_raises_its_signal(name, registry):
    messages = incident(CITY, name, "370202", MORNING_MS, SEED)
    decoded = [decode(message, registry) for message in messages]
    assert not any(isinstance(each, Rejected) for each in decoded)
    signals = {signal.type for each in decoded for signal in each.signals}
    assert signals == ({SIGNALS[name]} if name in SIGNALS else set())


@pytest.mark.parametrize("text", ["fire", "flood@370202", "@370202", ""])
def test_an_unknown_incident_is_refused_with_those_there_are(text):
    with pytest.raises(SettingsError, match="fire@PLACE, intrusion@PLACE"):
        parse_incident(text)


def test_a_place_without_a_device_to_tell_of_it_is_said():
    with pytest.raises(SettingsError, match="no simulated device of '370999'"):
        incident(CITY, "fire", "370999", MORNING_MS, SEED)


def test_a_grid_where_nobody_could_tell_names_those_near_it_where_somebody_can():
    smokes = {device.grid for device in CITY.smokes}
    silent = next(grid for grid in GRIDS if grid not in smokes)
    with pytest.raises(SettingsError, match=f"no simulated device of '{silent}' can") as caught:
        incident(CITY, "fire", silent, MORNING_MS, SEED)
    named = re.findall(r"\d{15}", str(caught.value).rpartition("allowed: ")[2])
    assert len(named) == 3
    for place in named:
        assert incident(CITY, "fire", place, MORNING_MS, SEED)
    assert any(place.startswith(silent[:9]) for place in named)


def test_the_incident_of_the_readme_can_happen_in_the_default_city():
    words = re.search(r"taishi simulate --incident (\S+)", README.read_text("utf-8"))
    name, place = parse_incident(words[1])
    settings = Settings()
    city = make_city(GRIDS, settings.simulated_devices, settings.simulated_seed)
    assert incident(city, name, place, MORNING_MS, settings.simulated_seed)


def test_load_is_as_many_readings_as_asked_half_of_them_in_lists(registry):
    devices = load_devices(GRIDS, 200)
    messages = list(load_messages(devices, 0, MORNING_MS))
    assert sum(message.transport == "mqtt" for message in messages) == 100
    decoded = [decode(message, registry) for message in messages]
    assert sum(len(each.observations) for each in decoded) == 200


def test_numbers_tell_two_messages_of_one_moment_apart():
    device = CITY.buttons[0]
    one, two = (encode(Event(device, "sos", MORNING_MS), number) for number in (1, 2))
    assert json.loads(one.payload)["fCnt"] != json.loads(two.payload)["fCnt"]


@pytest.fixture
def at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("TAISHI_HOME", str(tmp_path))
    return tmp_path


def test_a_dry_run_counts_by_vendor_without_a_network(at_home):
    result = CliRunner().invoke(simulate, ["--dry-run", "--devices", "1000", "--duration", "30", "--json"])
    counts = json.loads(result.output)
    assert counts["messages"] == sum(counts["by"].values()) > 100
    assert "mqtt chirpstack" in counts["by"]


def test_samples_are_shown_and_the_registry_written(at_home):
    shown = CliRunner().invoke(simulate, ["--show", "2", "--devices", "1000"])
    assert shown.output.count("application/") >= 2
    written = CliRunner().invoke(simulate, ["--write-registry", str(at_home / "d.csv"), "--devices", "1000"])
    assert "devices to" in written.output
    assert DeviceRegistry(at_home / "d.csv").problems == ()


def test_a_dry_run_of_an_incident_shows_it_and_sends_nothing(at_home, monkeypatch):
    monkeypatch.setenv("TAISHI_MQTT_ADDRESS", "127.0.0.1:1")
    monkeypatch.setenv("TAISHI_HTTP_PORT", "1")
    words = ["--incident", "fire@370202", "--dry-run", "--devices", "1000"]
    result = CliRunner().invoke(simulate, words, catch_exceptions=False)
    assert result.exit_code == 0
    assert "zigbee2mqtt/" in result.output
    assert "messages not sent (--dry-run)" in result.output


def test_an_incident_in_a_place_that_is_none_names_an_allowed_code(at_home):
    result = CliRunner().invoke(simulate, ["--incident", "fire@1"])
    assert "such as 370202001001001" in str(result.exception)
