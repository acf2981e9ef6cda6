"""The JSON examples of RFC 8428, section 5.1, resolved; and the rules of section 4 they do not show."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import Decoded, Device, Message, Rejected
from connectors.codecs import load_codecs
from connectors.fields import Unreadable
from connectors.senml.decode import SenmlCodec
from connectors.senml.pack import Record, resolve
from schemas.errors import SettingsError
from schemas.quarantine import Reason

NOW_MS = 1_795_392_000_000
WIRE = "urn:dev:ow:10e2073a01080063"


def resolved(pack: Any) -> list[tuple[str, str, float | bool | None, int]]:
    """Name, unit, value and time of each record; all of them can be read."""
    records = resolve(pack, NOW_MS)
    assert not [each for each in records if isinstance(each, Rejected)]
    return [(each.name, each.unit, each.value, each.at_ms) for each in records if isinstance(each, Record)]


def refused(pack: Any, now_ms: int | None = NOW_MS) -> Rejected:
    try:
        (record,) = resolve(pack, now_ms)
    except Unreadable as unreadable:
        return unreadable.rejected
    assert isinstance(record, Rejected)
    return record


def test_5_1_1_a_single_datapoint_is_now() -> None:
    assert resolved([{"n": WIRE, "u": "Cel", "v": 23.1}]) == [(WIRE, "Cel", 23.1, NOW_MS)]


def test_5_1_2_voltage_and_current_now() -> None:
    pack = [{"bn": f"{WIRE}:", "n": "voltage", "u": "V", "v": 120.1}, {"n": "current", "u": "A", "v": 1.2}]
    assert resolved(pack) == [(f"{WIRE}:voltage", "V", 120.1, NOW_MS), (f"{WIRE}:current", "A", 1.2, NOW_MS)]


def test_5_1_2_current_of_the_previous_five_seconds() -> None:
    pack = [
        {"bn": "urn:dev:ow:10e2073a0108006:", "bt": 1.276020076001e09, "bu": "A", "bver": 5,
         "n": "voltage", "u": "V", "v": 120.1},
        {"n": "current", "t": -5, "v": 1.2}, {"n": "current", "t": -4, "v": 1.3},
        {"n": "current", "t": -3, "v": 1.4}, {"n": "current", "t": -2, "v": 1.5},
        {"n": "current", "t": -1, "v": 1.6}, {"n": "current", "v": 1.7},
    ]  # fmt: skip
    at_ms = 1_276_020_076_001
    current = "urn:dev:ow:10e2073a0108006:current"
    assert resolved(pack) == [
        ("urn:dev:ow:10e2073a0108006:voltage", "V", 120.1, at_ms),
        *((current, "A", 1.2 + step / 10, at_ms - (5 - step) * 1000) for step in range(2)),
        (current, "A", 1.4, at_ms - 3000), (current, "A", 1.5, at_ms - 2000),
        (current, "A", 1.6, at_ms - 1000), (current, "A", 1.7, at_ms),
    ]  # fmt: skip


def test_5_1_2_a_stream_without_names_after_the_first() -> None:
    pack = [{"bn": WIRE, "bt": 1.320067464e09, "bu": "%RH", "v": 21.2}]
    pack += [{"t": 10 * step, "v": 21.3} for step in range(1, 9)]
    records = resolved(pack)
    assert {(name, unit) for name, unit, _, _ in records} == {(WIRE, "%RH")}
    assert [at_ms for *_, at_ms in records] == [1_320_067_464_000 + 10_000 * step for step in range(9)]


MOBILE: list[dict[str, Any]] = [
    {"bn": WIRE, "bt": 1.320067464e09, "bu": "%RH", "v": 20},
    {"u": "lon", "v": 24.30621}, {"u": "lat", "v": 60.07965},
    {"t": 60, "v": 20.3}, {"u": "lon", "t": 60, "v": 24.30622}, {"u": "lat", "t": 60, "v": 60.07965},
    {"t": 120, "v": 20.7}, {"u": "lon", "t": 120, "v": 24.30623}, {"u": "lat", "t": 120, "v": 60.07966},
    {"u": "%EL", "t": 150, "v": 98},
    {"t": 180, "v": 21.2}, {"u": "lon", "t": 180, "v": 24.30628}, {"u": "lat", "t": 180, "v": 60.07967},
]  # fmt: skip
RESOLVED: list[dict[str, Any]] = [
    {"n": WIRE, "u": unit, "t": t, "v": v}
    for unit, t, v in (
        ("%RH", 1.320067464e09, 20), ("lon", 1.320067464e09, 24.30621), ("lat", 1.320067464e09, 60.07965),
        ("%RH", 1.320067524e09, 20.3), ("lon", 1.320067524e09, 24.30622), ("lat", 1.320067524e09, 60.07965),
        ("%RH", 1.320067584e09, 20.7), ("lon", 1.320067584e09, 24.30623), ("lat", 1.320067584e09, 60.07966),
        ("%EL", 1.320067614e09, 98),
        ("%RH", 1.320067644e09, 21.2), ("lon", 1.320067644e09, 24.30628), ("lat", 1.320067644e09, 60.07967),
    )
]  # fmt: skip


def test_5_1_3_and_5_1_4_measurements_and_their_resolved_form_say_the_same() -> None:
    assert resolved(MOBILE) == resolved(RESOLVED)
    assert resolved(RESOLVED)[3] == (WIRE, "%RH", 20.3, 1_320_067_524_000)


def test_5_1_5_data_types() -> None:
    pack = [
        {"bn": f"{WIRE}:", "n": "temp", "u": "Cel", "v": 23.1}, {"n": "label", "vs": "Machine Room"},
        {"n": "open", "vb": False}, {"n": "nfc-reader", "vd": "aGkgCg"},
    ]  # fmt: skip
    assert [value for _, _, value, _ in resolved(pack)] == [23.1, None, False, None]


def test_5_1_6_the_last_record_has_the_name_of_the_third_and_the_time_of_the_first() -> None:
    pack = [
        {"bn": "2001:db8::2/", "bt": 1.320078429e09, "n": "temperature", "u": "Cel", "v": 25.2},
        {"n": "humidity", "u": "%RH", "v": 30},
        {"bn": "2001:db8::1/", "n": "temperature", "u": "Cel", "v": 12.3},
        {"n": "humidity", "u": "%RH", "v": 67},
    ]
    at_ms = 1_320_078_429_000
    assert resolved(pack) == [
        ("2001:db8::2/temperature", "Cel", 25.2, at_ms), ("2001:db8::2/humidity", "%RH", 30.0, at_ms),
        ("2001:db8::1/temperature", "Cel", 12.3, at_ms), ("2001:db8::1/humidity", "%RH", 67.0, at_ms),
    ]  # fmt: skip


def test_5_1_7_a_record_of_base_values_alone_is_no_measurement() -> None:
    pack = [
        {"bn": f"{WIRE}:"}, {"n": "temp", "u": "Cel", "v": 23.1},
        {"n": "heat", "u": "/", "v": 1}, {"n": "fan", "u": "/", "v": 0},
    ]  # fmt: skip
    assert [name for name, *_ in resolved(pack)] == [f"{WIRE}:temp", f"{WIRE}:heat", f"{WIRE}:fan"]


def test_5_1_7_lights_without_a_base_name() -> None:
    pack = [
        {"bt": 1.320078429e09, "bu": "/", "n": "2001:db8::3", "v": 0.5}, {"n": "2001:db8::4", "v": 0.5},
        {"n": "2001:db8::3", "t": 0.1, "v": 0}, {"n": "2001:db8::4", "t": 0.1, "v": 0},
    ]  # fmt: skip
    assert [(name, at_ms) for name, _, _, at_ms in resolved(pack)] == [
        ("2001:db8::3", 1_320_078_429_000), ("2001:db8::4", 1_320_078_429_000),
        ("2001:db8::3", 1_320_078_429_100), ("2001:db8::4", 1_320_078_429_100),
    ]  # fmt: skip


def test_a_base_value_is_added_and_stands_alone_for_a_missing_one() -> None:
    pack = [{"bn": "d", "bv": 20.0, "v": 1.5}, {"t": -1}, {"v": -2, "bs": 100, "s": 3}]
    assert [value for _, _, value, _ in resolved(pack)] == [21.5, 20.0, 18.0]


def test_a_sum_alone_is_a_record_without_a_value() -> None:
    assert resolved([{"n": "meter", "u": "J", "s": 5.0}]) == [("meter", "J", None, NOW_MS)]


@pytest.mark.parametrize(
    ("time_s", "at_ms"),
    [
        (-10, NOW_MS - 10_000),
        (0, NOW_MS),
        (5, NOW_MS + 5_000),
        (2**28 - 1, NOW_MS + (2**28 - 1) * 1000),
        (2**28, 2**28 * 1000),
    ],
)
def test_times_below_two_to_the_28_are_relative(time_s: int, at_ms: int) -> None:
    assert resolved([{"n": "d", "v": 1, "t": time_s}])[0][3] == at_ms
    assert resolved([{"n": "d", "v": 1, "bt": time_s - 7, "t": 7}])[0][3] == at_ms


@pytest.mark.parametrize(
    ("pack", "reason"),
    [
        ({"bn": "d", "e": [{"v": 1}]}, Reason.UNSUPPORTED),
        ({"bn": "d", "v": 1}, Reason.WRONG_TYPE),
        (["d"], Reason.WRONG_TYPE),
        ([{"n": "d", "v": 1, "bver": 11}], Reason.UNSUPPORTED),
        ([{"n": "d", "v": 1, "x_": 1}], Reason.UNSUPPORTED),
        ([{"n": "d", "v": 1, "vs": "1"}], Reason.MALFORMED),
        ([{"n": "d", "vb": 1}], Reason.WRONG_TYPE),
        ([{"n": "d", "v": "1"}], Reason.WRONG_TYPE),
        ([{"n": "d"}], Reason.MISSING_FIELD),
        ([{"v": 1}], Reason.WRONG_TYPE),
        ([{"n": "d", "v": 1e308, "bv": 1e308}], Reason.WRONG_TYPE),
        ([{"n": "d", "v": 1, "t": 1e300}], Reason.BAD_TIME),
        ([{"n": "d", "v": 1, "bt": 1e308, "t": 1e308}], Reason.BAD_TIME),
        ([{"v": 1}] * 10_001, Reason.OVERSIZE),
    ],
)
def test_what_cannot_be_taken_is_refused_by_its_reason(pack: Any, reason: Reason) -> None:
    assert refused(pack).reason is reason


def test_a_bad_base_value_refuses_the_pack_as_it_would_shift_what_follows() -> None:
    with pytest.raises(Unreadable):
        resolve([{"n": "a", "v": 1}, {"bt": "noon", "n": "b", "v": 1}, {"n": "c", "v": 1}], NOW_MS)


def test_nothing_is_now_in_a_message_kept_by_the_broker() -> None:
    assert refused([{"n": "d", "v": 1}], None).reason is Reason.BAD_TIME


@given(
    base=st.floats(-1e9, 4e9),
    times=st.lists(st.floats(-1e6, 1e6) | st.none(), min_size=1, max_size=8),
    offset=st.integers(0, 3),
)
@settings(max_examples=200, deadline=None)
def test_a_pack_and_its_resolved_form_say_the_same(
    base: float, times: list[float | None], offset: int
) -> None:
    pack: list[dict[str, Any]] = [{"bn": "d:", "bt": base, "bu": "Cel", "bv": offset}]
    pack += [{"n": str(n), "v": n} | ({} if t is None else {"t": t}) for n, t in enumerate(times)]
    plain = [
        {"n": f"d:{n}", "u": "Cel", "v": n + offset, "t": base + (t or 0.0)} for n, t in enumerate(times)
    ]
    assert resolved(json.loads(json.dumps(pack))) == resolved(plain)
    assert all(math.isfinite(each[3]) for each in resolved(pack))


def test_the_rfcs_mobile_device_gives_its_humidity_and_nothing_of_its_place() -> None:
    device = Device(WIRE, "", "care.environment", "370202001001001", None, "", None, simulated=False)
    result = SenmlCodec().decode(Message(json.dumps(MOBILE).encode(), "x", NOW_MS), {WIRE: device})
    assert isinstance(result, Decoded)
    assert [(seen.metric, seen.value) for seen in result.observations] == [
        ("humidity", 20.0), ("humidity", 20.3), ("humidity", 20.7), ("humidity", 21.2),
    ]  # fmt: skip
    assert result.rejected == ()


def test_a_name_mapped_to_no_known_metric_is_an_error_of_the_settings() -> None:
    with pytest.raises(SettingsError, match=r"senml.*care\.air"):
        load_codecs(["senml"], {"senml": {"names": {"*": "care.air"}}})
