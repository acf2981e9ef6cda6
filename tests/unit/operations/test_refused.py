"""When a person whose channels refuse stands on the desk, with how many, and until when."""

from __future__ import annotations

from operations.oncall.refused import Parked, alarms

T0 = 1_795_392_000_000


def test_an_alarm_counts_what_is_parked_and_ends_with_it() -> None:
    held = {"王芳": Parked(1, "json: HTTP 400")}
    (begun,) = alarms(held, [], "370202", T0)
    assert (begun.device, begun.count, begun.active) == ("王芳", 1, True)
    assert list(alarms(held, [begun], "370202", T0 + 1)) == []

    (more,) = alarms({"王芳": Parked(2, "json: HTTP 410")}, [begun], "370202", T0 + 2)
    assert (more.id, more.count, more.onset_ms, more.revision) == (begun.id, 2, T0, begun.revision + 1)
    assert "HTTP 410" in more.explanation

    (over,) = alarms({}, [more], "370202", T0 + 3)
    assert (over.id, over.active, over.cleared_ms) == (begun.id, False, T0 + 3)
