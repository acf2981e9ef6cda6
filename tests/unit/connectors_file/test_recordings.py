"""Recordings: mappings, pace, rows, and the real files of ../shared/data."""

from pathlib import Path

import numpy as np
import pytest

from connectors.base import Decoded, Message, Rejected
from connectors.file.mapping import load_mapping, shipped_mappings
from connectors.file.pace import due_ms
from connectors.file.recording import NO_TIME_MS, read_recording
from connectors.file.rows import FileCodec, SpreadDevices
from schemas.errors import SettingsError
from schemas.quarantine import Reason

SHARED = Path(__file__).parents[4] / "shared" / "data"
GRIDS = [f"370202001001{n:03d}" for n in range(1, 20)]

MAPPING = """
name = "doors"
device = ["id"]
prefix = "x/"
time = "at"
time_zone = "Asia/Shanghai"
[[rules]]
kind = "security.access"
metric = "granted"
when = { what = "ok" }
[[rules]]
kind = "security.access"
metric = "denied"
when = { what = "no" }
column = "n"
"""


def mapping_file(tmp_path, text=MAPPING):
    path = tmp_path / "mapping.toml"
    path.write_text(text, "utf-8")
    return load_mapping(str(path))


def decode_all(recording, mapping, *, numbered=False):
    codec, devices = FileCodec(mapping, recording.header, numbered), SpreadDevices(GRIDS, mapping)
    places = zip(recording.lines, recording.numbers.tolist(), recording.times_ms.tolist(), strict=True)
    return [codec.decode(Message(line, f"f:{n}#{t}", 0), devices) for line, n, t in places]


def shared(path):
    if not (SHARED / path).is_file():
        pytest.skip(f"the recording ../shared/data/{path} is not here")
    return SHARED / path


def test_rows_come_in_the_order_of_their_times_and_become_observations(tmp_path):
    file = tmp_path / "r.csv"
    file.write_bytes(b"id,at,what,n\nb,2026-01-01 08:00:02,no,3\na,2026-01-01T00:00:01Z,ok,\n")
    mapping = mapping_file(tmp_path)
    recording = read_recording(file, mapping)
    assert recording.numbers.tolist() == [3, 2]
    assert np.diff(recording.times_ms).tolist() == [1000]
    first, second = (decoded.observations[0] for decoded in decode_all(recording, mapping))
    assert (first.device, first.metric, first.value) == ("x/a", "granted", 1.0)
    assert (second.device, second.metric, second.value) == ("x/b", "denied", 3.0)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"a,2026-01-01 00:00:00,ok", Reason.MALFORMED),
        (b"a,\xff,ok,1", Reason.MALFORMED),
        (b"a,yesterday,ok,1", Reason.BAD_TIME),
        (b"a,2026-01-01 00:00:00,maybe,1", Reason.UNSUPPORTED),
        (b"a,2026-01-01 00:00:00,no,many", Reason.WRONG_TYPE),
    ],
)
def test_a_bad_row_is_rejected_with_its_reason_and_keeps_its_bytes(tmp_path, row, reason):
    file = tmp_path / "r.csv"
    file.write_bytes(b"id,at,what,n\n" + row + b"\n")
    mapping = mapping_file(tmp_path)
    recording = read_recording(file, mapping)
    assert recording.lines == [row]
    (rejected,) = decode_all(recording, mapping)
    assert isinstance(rejected, Rejected)
    assert rejected.reason is reason


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (MAPPING.replace("granted", "opened"), "received 'security.access.opened'"),
        (MAPPING.replace("Asia/Shanghai", "Mars"), "received 'Mars'"),
        (MAPPING + "\n[extra]\n", "extra"),
        ("name = 3", "Expected `str`"),
        ("name =", "mapping"),
    ],
)
def test_a_wrong_mapping_is_refused_with_what_is_allowed(tmp_path, text, told):
    with pytest.raises(SettingsError, match=told):
        mapping_file(tmp_path, text)


def test_a_recording_without_a_mapped_column_is_refused_naming_those_it_has(tmp_path):
    file = tmp_path / "r.csv"
    file.write_bytes(b"id,when\na,b\n")
    with pytest.raises(SettingsError, match="allowed: id, when"):
        read_recording(file, mapping_file(tmp_path))


def test_an_unknown_mapping_names_those_that_come_with_the_product():
    with pytest.raises(SettingsError, match="melbourne-bays, tihm-activity, tihm-physiology"):
        load_mapping("no-such")


def test_the_pace_keeps_gaps_divided_by_the_speed():
    times = np.array([NO_TIME_MS, 1000, 3000, 7000], np.int64)
    assert due_ms(times, 50, 2.0).tolist() == [50, 50, 1050, 3050]
    assert due_ms(times, 50, float("inf")).tolist() == [50, 50, 50, 50]


def test_sensors_of_one_home_share_a_grid_and_homes_are_spread():
    devices = SpreadDevices(GRIDS, load_mapping("tihm-activity"))
    assert devices.get("tihm/0697d/kitchen").grid == devices.get("tihm/0697d/hallway").grid
    assert len({devices.get(f"tihm/{home:05x}/kitchen").grid for home in range(200)}) == len(GRIDS)


def test_every_shipped_mapping_names_its_source_and_licence():
    for name in shipped_mappings():
        mapping = load_mapping(name)
        assert (mapping.name, bool(mapping.source), bool(mapping.licence)) == (name, True, True)


def test_the_melbourne_bays_are_read_whole_with_both_offsets():
    mapping = load_mapping("melbourne-bays")
    recording = read_recording(shared("melbourne_bays/on-street-parking-bay-sensors.csv"), mapping)
    decoded = decode_all(recording, mapping)
    assert len(decoded) == 3309
    assert sum(d.observations[0].value for d in decoded if isinstance(d, Decoded)) == 1998
    assert (recording.times_ms > 0).all()


def test_the_tihm_vital_signs_are_read_whole_with_their_zone():
    mapping = load_mapping("tihm-physiology")
    recording = read_recording(shared("tihm/Physiology.csv"), mapping)
    decoded = decode_all(recording, mapping)
    assert len(decoded) == 17_680
    assert all(isinstance(d, Decoded) and len(d.observations) == 1 for d in decoded)
    assert (
        max(d.observations[0].value for d in decoded if d.observations[0].metric == "skin_temperature") > 74
    )


def test_a_million_events_of_the_tihm_homes_are_read_in_time_order():
    mapping = load_mapping("tihm-activity")
    recording = read_recording(shared("tihm/Activity_events.csv.gz"), mapping)
    assert len(recording.lines) == 1_030_559
    assert (np.diff(recording.times_ms) >= 0).all()
    assert recording.times_ms[-1] - recording.times_ms[0] == pytest.approx(91 * 86_400_000, rel=0.001)
