"""A device that sends too much is held back alone: counted, told, kept; its neighbours and alarms go on."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from connectors.base import Decoded, Device, Message, Observation, Outcome, SignalEvent
from connectors.codecs import load_codecs
from connectors.device_rate import DeviceRates
from connectors.gateway import Gateway
from connectors.resolve import Resolver
from schemas.quarantine import Reason
from schemas.topics import QUARANTINE

AT_MS = 1_795_392_000_000
GRID = "370202001001001"


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def seen(device: str = "a", number: int = 0, **changed: Any) -> Observation:
    return Observation(device, "parking.space", "occupied", 1.0, AT_MS + number, **changed)


def test_what_is_within_goes_through_as_it_is() -> None:
    rates, decoded = DeviceRates(1.0, 2), Decoded((seen(), seen(number=1)))
    assert rates.within(decoded) is decoded


def test_beyond_the_allowance_only_that_device_is_held_back() -> None:
    clock = Clock()
    rates = DeviceRates(1.0, 2, clock)
    told = rates.within(Decoded((*(seen("loud", n) for n in range(5)), seen("quiet"))))
    assert [each.device for each in told.observations] == ["loud", "loud", "quiet"]
    (refused,) = told.rejected
    assert refused.reason is Reason.RATE
    assert refused.detail == "device loud: received 3 readings too many, allowed: 2 at once, then 1 a second"
    clock.now_s = 1.0
    assert rates.within(Decoded((seen("loud", 9),))).rejected == ()
    assert rates.within(Decoded((seen("loud", 9),))).rejected != ()


def test_an_alarm_is_never_held_back() -> None:
    rates = DeviceRates(1.0, 1)
    alarm = SignalEvent("sos", "active", "a", AT_MS)
    for number in range(3):
        told = rates.within(Decoded((seen(number=number),), (alarm,)))
        assert told.signals == (alarm,)
    assert told.observations == ()


def test_a_person_is_not_named() -> None:
    rates = DeviceRates(1.0, 1)
    rates.within(Decoded((seen("Zhang San", personal=True),)))
    (refused,) = rates.within(Decoded((seen("Zhang San", 1, personal=True),))).rejected
    assert "(a person)" in refused.detail
    assert "Zhang" not in refused.detail


@given(
    steps=st.lists(st.tuples(st.floats(0, 5), st.sampled_from("abc"), st.integers(0, 20)), max_size=30),
    per_s=st.floats(0.5, 20),
    burst=st.integers(1, 30),
)
def test_nobody_gets_more_than_the_burst_and_what_came_since_and_nothing_vanishes(
    steps: list[tuple[float, str, int]], per_s: float, burst: int
) -> None:
    clock = Clock()
    rates = DeviceRates(per_s, burst, clock)
    taken = dict.fromkeys("abc", 0)
    for wait_s, device, readings in steps:
        clock.now_s += wait_s
        told = rates.within(Decoded(tuple(seen(device, n) for n in range(readings))))
        refused = sum(int(each.detail.split("received ")[1].split()[0]) for each in told.rejected)
        assert len(told.observations) + refused == readings
        taken[device] += len(told.observations)
        assert taken[device] <= burst + per_s * clock.now_s + 1e-6


class Log:
    def __init__(self) -> None:
        self.records: list[Any] = []

    def deliver(self, records: Any, on_delivered: Any) -> None:
        self.records += records
        on_delivered()


class Places:
    def locate(self, *_point: float) -> str | None:
        return None

    def has_grid(self, *_code: str) -> bool:
        return True


@pytest.mark.parametrize("way", ["accept", "accept_all"])
def test_a_door_keeps_what_is_too_much_with_its_reason_and_counts_it(way: str) -> None:
    devices = {n: Device(n, "", "parking.space", GRID, None, "", None, simulated=False) for n in ("a", "b")}
    log, transport = Log(), f"rated-{way}"
    rates = DeviceRates(1.0, 3, Clock())
    gateway = Gateway(
        transport, load_codecs(["native"], {}), devices, Resolver(devices, Places()), log,  # type: ignore[arg-type]
        device_rates=rates,
    )  # fmt: skip
    outcomes: list[Outcome] = []
    numbers = count()
    for device in "aaaaab":
        body = {"device": device, "kind": "parking.space", "metric": "occupied", "value": 1}
        payload = json.dumps(body | {"observed_at_ms": AT_MS + next(numbers)}).encode()
        message = Message(payload, "t", AT_MS)
        if way == "accept":
            gateway.accept(message, "native", outcomes.append)
        else:
            gateway.accept_all([(message, "native")], lambda: None)
    kept = [record for record in log.records if record.topic == QUARANTINE]
    assert [dict(record.headers)["reason"] for record in kept] == [b"rate", b"rate"]
    assert json.loads(kept[0].value)["device"] == "a"
    assert len(log.records) == 6
    counted = {"source": f"{transport}.native", "reason": "rate"}
    assert REGISTRY.get_sample_value("taishi_quarantined_total", counted) == 2
    if way == "accept":
        assert [each.rejected.reason if each.rejected else None for each in outcomes] == [
            *(None, None, None, Reason.RATE, Reason.RATE),
            None,
        ]
