"""What the door counts of each vendor: a clock that is off, silence, repetition, lateness, refusals."""

import itertools
import time

import pytest
from prometheus_client import REGISTRY

from connectors.base import Decoded, Device, Message, Observation, Rejected
from connectors.scorecard import OFFSETS, RECENT, VENDORS_MAX, Heard, Scorecard, Tally, vendor_of
from schemas.quarantine import Reason

NOW_MS = 1_763_872_200_000
NAMES = itertools.count()


def device(name, vendor="", model=""):
    return Device(name, model, "parking.space", "370202001001001", None, "", None, False, vendor=vendor)


DEVICES = {
    "good": device("good", "Bosch", "bosch.tps110"),
    "slow": device("slow", "Slowclock"),
    "milesight-1": device("milesight-1", model="milesight.vs373"),
}


@pytest.fixture
def source():
    """Counters are the process's: each test has a source of its own."""
    return f"test.scorecard-{next(NAMES)}"


def seen(name, observed_at_ms, seq=0):
    return Observation(name, "parking.space", "occupied", 1, observed_at_ms, seq)


def say(card, source, *observations, at_ms=NOW_MS, rejected=None):
    decoded = Decoded(observations) if observations else Rejected(Reason.MALFORMED, "")
    card.saw(source, [Heard(Message(b"", "", at_ms), decoded, rejected)], DEVICES)


def value(name, source, vendor, **labels):
    return REGISTRY.get_sample_value(f"taishi_vendor_{name}", {"source": source, "vendor": vendor} | labels)


def test_the_vendor_is_the_column_else_the_first_word_of_the_model():
    assert [vendor_of(DEVICES.get(name)) for name in ("good", "milesight-1", "slow", "?")] == [
        "Bosch", "milesight", "Slowclock", "unknown",
    ]  # fmt: skip


def test_a_clock_ninety_seconds_behind_shows_as_it_is(source):
    card = Scorecard(600)
    for n in range(200):
        at_ms = NOW_MS + n * 1_000
        say(card, source, seen("slow", at_ms - 90_000 - n % 7 * 10), at_ms=at_ms)
        say(card, source, seen("good", at_ms - 40), at_ms=at_ms)
    assert value("clock_offset_seconds", source, "Slowclock", quantile="0.5") == pytest.approx(90, abs=0.1)
    assert value("clock_offset_seconds", source, "Bosch", quantile="0.95") == pytest.approx(0.04)
    assert value("late_total", source, "Slowclock") == 0
    assert value("readings_total", source, "Slowclock") == 200


def test_late_and_repeated_are_counted(source):
    card = Scorecard(600)
    say(card, source, seen("good", NOW_MS - 600_001), seen("good", NOW_MS - 600_000))
    say(card, source, seen("good", NOW_MS - 600_000), seen("good", NOW_MS - 600_000, seq=1))
    assert [value(f"{name}_total", source, "Bosch") for name in ("readings", "late", "repeated")] == [4, 1, 1]


def test_what_was_long_ago_is_no_repetition(source):
    card = Scorecard(600)
    for n in range(2 * RECENT + 1):
        say(card, source, seen("good", NOW_MS, n))
    say(card, source, seen("good", NOW_MS, 2 * RECENT), seen("good", NOW_MS, 0))
    assert value("repeated_total", source, "Bosch") == 1


def test_the_refused_are_their_vendors_where_the_device_is_known(source):
    card = Scorecard(600)
    say(card, source, seen("good", NOW_MS), rejected=Rejected(Reason.IMPLAUSIBLE, ""))
    say(card, source, rejected=Rejected(Reason.MALFORMED, ""))
    assert value("quarantined_total", source, "Bosch", reason="implausible") == 1
    assert value("quarantined_total", source, "unknown", reason="malformed") == 1
    assert [value("messages_total", source, vendor) for vendor in ("Bosch", "unknown")] == [1, 1]


def test_silence_is_known_from_the_last_word_and_the_longest_pause(source):
    card = Scorecard(600)
    for at_s in (0, 10, 40, 50):
        say(card, source, seen("good", NOW_MS, at_s), at_ms=NOW_MS + at_s * 1000)
    assert value("heard_timestamp_seconds", source, "Bosch") == NOW_MS / 1000 + 50
    assert value("gap_seconds", source, "Bosch") == 30


def test_the_longest_pause_is_that_of_two_hours(source):
    tally = Tally(source, "v")
    hour_ms = NOW_MS // 3_600_000 * 3_600_000
    for minute in (0, 40, 61, 62, 122, 123):
        tally.heard(hour_ms + minute * 60_000)
    assert tally.gap_s() == 60 * 60
    tally.heard(hour_ms + 181 * 60_000)
    tally.heard(hour_ms + 600 * 60_000)
    assert tally.gap_s() == (600 - 181) * 60


def test_vendors_beyond_the_bound_are_one(source):
    card = Scorecard(600)
    many = {f"d{n}": device(f"d{n}", f"vendor {n}") for n in range(VENDORS_MAX + 5)}
    for name in many:
        card.saw(source, [Heard(Message(b"", "", NOW_MS), Decoded((seen(name, NOW_MS),)), None)], many)
    assert value("readings_total", source, "other") == 5


def test_messages_that_came_together_count_as_one_by_one(source):
    card, together, hour_ms = Scorecard(600), f"{source}-together", NOW_MS // 3_600_000 * 3_600_000
    heard = [
        Heard(Message(b"", "", hour_ms), Decoded((seen("good", hour_ms - 50),)), None),
        Heard(Message(b"", "", hour_ms), Rejected(Reason.MALFORMED, ""), Rejected(Reason.MALFORMED, "")),
        Heard(Message(b"", "", hour_ms), Decoded(), None),
        Heard(
            Message(b"", "", hour_ms + 9_000),
            Decoded((seen("slow", hour_ms - 700_000), seen("good", hour_ms - 50))),
            Rejected(Reason.RATE, ""),
        ),
    ]
    for each in heard:
        card.saw(source, [each], DEVICES)
    Scorecard(600).saw(together, heard, DEVICES)
    assert figures_of(together) == figures_of(source)
    assert value("messages_total", together, "Slowclock") == 1  # the message's first device's vendor
    assert value("gap_seconds", together, "Bosch") == 9
    assert value("repeated_total", together, "Bosch") == 1


def figures_of(source):
    """All that is said of a source, as {(figure, its other labels): value}; but not since when."""
    samples = [sample for metric in REGISTRY.collect() for sample in metric.samples]
    return {
        (each.name, *sorted(item for item in each.labels.items() if item[0] != "source")): each.value
        for each in samples
        if each.labels.get("source") == source and not each.name.endswith("_created")
    }


def test_counting_costs_little(source):
    card, message = Scorecard(600), Message(b"", "", NOW_MS)
    heard = [Heard(message, Decoded((seen("good", NOW_MS, n),)), None) for n in range(20_000)]
    begun_s = time.perf_counter()
    for first in range(0, len(heard), 50):
        card.saw(source, heard[first : first + 50], DEVICES)
    each_us = (time.perf_counter() - begun_s) / len(heard) * 1e6
    assert each_us < 50  # 2 µs on an idle core; a shared one is slower
    assert len(card._tallies[source, "Bosch"].offsets_ms) == OFFSETS
