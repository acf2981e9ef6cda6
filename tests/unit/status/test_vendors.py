"""The scorecard of vendors: shares, a clock that is off, silence, and the points that are kept of them."""

import pytest

from taishi.status.exposition import parse
from taishi.status.snapshot import SourceView
from taishi.status.vendors import counted, points, vendor_scores

NOW_S = 1_763_872_200


def scrape(**vendors):
    lines = []
    for vendor, facts in vendors.items():
        named = f'source="mqtt.a",vendor="{vendor}"'
        for name, value in facts.items():
            metric, _, label = name.partition("__")
            more = f',reason="{label}"' if metric == "quarantined_total" else ""
            more = f',quantile="0.{label}"' if metric == "clock_offset_seconds" else more
            lines.append(f"taishi_vendor_{metric}{{{named}{more}}} {value}")
    return parse(["\n".join(lines) + "\n"])


GOOD = {
    "messages_total": 200, "readings_total": 400, "late_total": 4, "repeated_total": 8,
    "quarantined_total__malformed": 1, "quarantined_total__encoding": 3,
    "heard_timestamp_seconds": NOW_S - 9, "gap_seconds": 20,
    "clock_offset_seconds__5": 0.2, "clock_offset_seconds__95": 1.5,
}  # fmt: skip


def score(**changed):
    (found,) = vendor_scores(scrape(v=GOOD | changed), NOW_S * 1000)
    return found


def test_shares_are_of_what_came():
    found = score()
    assert (found.bad, found.late, found.duplicate) == (0.02, 0.01, 0.02)
    assert found.reasons == (("encoding", 3), ("malformed", 1))
    assert (found.silent, found.clock_off) == (False, False)
    assert (found.silent_s, found.clock_s, found.clock_p95_s) == (9, 0.2, 1.5)


@pytest.mark.parametrize(("median_s", "off"), [(90, True), (-90, True), (59, False)])
def test_a_clock_ninety_seconds_off_is_told(median_s, off):
    found = score(clock_offset_seconds__5=median_s)
    assert (found.clock_off, found.clock_s) == (off, median_s)


@pytest.mark.parametrize(
    ("ago_s", "gap_s", "silent"), [(179, 1, False), (181, 1, True), (1_700, 600, False), (1_801, 600, True)]
)
def test_a_vendor_is_silent_when_three_of_its_pauses_have_passed(ago_s, gap_s, silent):
    assert score(heard_timestamp_seconds=NOW_S - ago_s, gap_seconds=gap_s).silent is silent


def test_one_that_no_door_has_heard_since_it_started_is_remembered():
    remembered = {("mqtt.a", "w"): (NOW_S - 7_200, 600), ("mqtt.a", "v"): (1, 7), ("mqtt.a", "(all)"): (1, 1)}
    found = vendor_scores(scrape(v=GOOD), NOW_S * 1000, remembered)
    assert [(one.vendor, one.silent_s, one.silent) for one in found] == [("v", 9, False), ("w", 7_200, True)]


def test_where_no_pause_is_known_nobody_is_silent_soon():
    assert score(heard_timestamp_seconds=NOW_S - 10_000, gap_seconds=0).silent is False
    assert score(heard_timestamp_seconds=NOW_S - 10_900, gap_seconds=0).silent is True


def test_where_nothing_came_there_is_no_share_and_no_clock():
    found = score(messages_total=0, readings_total=0)
    assert (found.bad, found.late, found.clock_s) == (None, None, None)


def test_points_hold_what_was_counted_since_the_last():
    before = counted(scrape(v=GOOD), [])
    now = scrape(v=GOOD | {"readings_total": 500, "late_total": 9, "messages_total": 100})
    source = SourceView("mqtt.a", received=5, consumed=10, late=1, readings_quarantined={"future": 2})
    lines = points(before, counted(now, [source]), vendor_scores(now, NOW_S * 1000), NOW_S * 1000)
    whole, vendor = (line.split(" ") for line in lines)
    assert [series for series, *_ in (whole, vendor)] == [
        "sources,source=mqtt.a,vendor=(all)", "sources,source=mqtt.a,vendor=v",
    ]  # fmt: skip
    fields = dict(field.split("=") for field in vendor[1].split(","))
    assert (fields["readings"], fields["late"], fields["late_share"]) == ("100.0", "5.0", "0.05")
    assert fields["messages"] == "100.0"  # the door began anew: all of it is new
    assert (fields["silent_s"], fields["heard_s"]) == ("9.0", str(float(NOW_S - 9)))
    assert "implausible=2.0" in whole[1]
    assert whole[2] == str(NOW_S * 1000)


def test_a_name_from_a_registry_cannot_break_a_point():
    odd = "a b,c=d\\"
    lines = points({}, {("mqtt.a", odd): {"readings": 1.0}, ("mqtt.a", "x\ny"): {"readings": 1.0}}, [], 1)
    assert lines[0].startswith(r"sources,source=mqtt.a,vendor=a\ b\,c\=d readings=1.0")
    assert "\n" not in lines[1]
