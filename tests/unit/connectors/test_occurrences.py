"""One alarm, one begin, one end, whatever a device repeats, resends or forgets."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.alarms import Incident
from connectors.base import Decoded, Observation
from connectors.occurrences import LASTING, QUIET_S, Occurrences
from schemas.signals import SIGNAL_TYPES, Signal, signal_id

T0 = 1_795_392_000_000
QUIET_MS = QUIET_S * 1000


def smoke(at_ms, *, active=True, device="d1", alarm="", seq=0):
    """A message that says it burns, or no longer."""
    incident = Incident(device, "security.fire", "smoke", T0 + at_ms, alarm, seq)
    return Decoded((incident.observation(),) if active else (), (incident.signal(active=active),))


class Log:
    """What stands on the log: what was confirmed, once each by its identity."""

    def __init__(self):
        self.records, self.counted = [], {}

    @property
    def signals(self):
        """By identity, the first of each."""
        first = {}
        for s in self.records:
            first.setdefault(signal_id(s.device, s.type, s.alarm, s.state, s.observed_at_ms), s)
        return first

    def append(self, decoded):
        self.records += decoded.signals
        for o in decoded.observations:
            self.counted.setdefault((o.device, o.kind, o.metric, o.observed_at_ms, o.seq), o)

    def told(self):
        return [(s.state, s.observed_at_ms - T0) for s in self.signals.values()]

    def recalled(self):
        held = Occurrences()
        for s in self.records:
            held.recall(
                Signal(
                    id="",
                    type=s.type,
                    state=s.state,
                    device=s.device,
                    grid="g",
                    source="s",
                    observed_at_ms=s.observed_at_ms,
                    received_at_ms=0,
                    alarm=s.alarm,
                    heard_at_ms=s.heard_at_ms,
                )
            )
        return held


def heard(*messages, log=None, held=None):
    """The messages taken one by one, each confirmed before the next."""
    log, held = log or Log(), held or Occurrences()
    for message in messages:
        settled, told = held.settle(message)
        log.append(settled)
        held.confirm(told)
    return log


def test_begin_repeats_and_end_are_two_transitions_and_one_count():
    log = heard(
        smoke(0), *(smoke(at, seq=at) for at in range(1000, 60_000, 1000)), smoke(60_000, active=False)
    )
    assert log.told() == [("active", 0), ("cleared", 60_000)]
    assert len(log.counted) == 1
    assert len(log.records) == 2


def test_an_alarm_that_lasts_is_marked_under_its_id_each_minute_and_counted_once():
    log = heard(*(smoke(at, seq=at) for at in range(0, 600_001, 10_000)))
    assert [s.heard_at_ms and s.heard_at_ms - T0 for s in log.records] == list(range(0, 600_001, 60_000))
    assert len(log.signals) == len(log.counted) == 1


def test_a_death_long_after_the_begin_does_not_begin_it_again():
    log = heard(*(smoke(at, seq=at) for at in range(0, 900_001, 10_000)))
    heard(smoke(910_000), smoke(920_000, active=False), log=log, held=log.recalled())
    assert log.told() == [("active", 0), ("cleared", 920_000)]


def test_what_was_sent_while_it_lasted_is_known_after_another_began():
    log = heard(smoke(0), smoke(70_000), smoke(100_000), smoke(900_000), smoke(110_000), smoke(65_000))
    assert log.told() == [("active", 0), ("active", 900_000)]


def test_all_well_without_an_alarm_says_nothing():
    assert heard(*(smoke(at, active=False) for at in range(5))).told() == []


def test_after_its_end_another_begins():
    log = heard(smoke(0), smoke(10, active=False), smoke(20), smoke(30), smoke(40, active=False))
    assert log.told() == [("active", 0), ("cleared", 10), ("active", 20), ("cleared", 40)]
    assert len(log.counted) == 2


def test_after_a_long_silence_another_begins_without_an_end():
    log = heard(smoke(0), smoke(QUIET_MS), smoke(2 * QUIET_MS + 1))
    assert log.told() == [("active", 0), ("active", 2 * QUIET_MS + 1)]


def test_what_is_sent_again_after_an_outage_is_known():
    log = heard(smoke(0), smoke(10, active=False), smoke(20), smoke(30, active=False))
    heard(smoke(0), smoke(10, active=False), smoke(5), smoke(25), log=log, held=log.recalled())
    assert log.told() == [("active", 0), ("cleared", 10), ("active", 20), ("cleared", 30)]


def test_an_older_alarm_never_heard_of_goes_on_at_its_own_time_and_changes_nothing_of_today():
    log = heard(smoke(1_000_000), smoke(0), smoke(1_000_500))
    assert log.told() == [("active", 1_000_000), ("active", 0)]


def test_regions_of_one_device_are_alarms_of_their_own():
    log = heard(
        smoke(0, alarm="region 1"), smoke(1, alarm="region 2"), smoke(2, active=False, alarm="region 1")
    )
    assert [s.alarm for s in log.signals.values()] == ["region 1", "region 2", "region 1"]


def test_each_press_of_a_button_is_its_own():
    presses = [Incident("b", "care.emergency", "sos", T0 + at) for at in (0, 1000, 2000)]
    log = heard(*(Decoded((p.observation(),), (p.signal(),)) for p in presses))
    assert len(log.signals) == len(log.counted) == 3


def test_what_else_a_message_says_is_kept_when_its_alarm_is_a_repeat():
    held = Occurrences()
    _, told = held.settle(smoke(0))
    held.confirm(told)
    warm = Observation("d1", "care.environment", "temperature", 20.0, T0 + 5)
    message = smoke(5)
    settled, told = held.settle(msgspec.structs.replace(message, observations=(*message.observations, warm)))
    assert (settled.observations, settled.signals, told) == ((warm,), (), ())


def test_until_the_log_has_it_a_repeat_sends_the_very_same_again():
    """A process that dies with the begin unconfirmed must not have acknowledged the repeat for nothing."""
    held = Occurrences()
    first, told = held.settle(smoke(0, seq=7))
    again, _ = held.settle(smoke(1000, seq=8))
    assert again == first
    held.confirm(told)
    assert held.settle(smoke(2000))[0].signals == ()
    end, told = held.settle(smoke(3000, active=False))
    assert held.settle(smoke(4000, active=False))[0] == end
    held.confirm(told)
    assert held.settle(smoke(5000, active=False))[0].signals == ()


def test_a_late_confirmation_of_a_begin_does_not_confirm_its_end():
    held = Occurrences()
    _, begin = held.settle(smoke(0))
    end, _ = held.settle(smoke(10, active=False))
    held.confirm(begin)
    assert held.settle(smoke(20, active=False))[0] == end


MESSAGES = st.lists(
    st.tuples(st.integers(1, 200_000), st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=30
)


@given(MESSAGES)
def test_deaths_and_lost_confirmations_leave_the_log_that_an_undisturbed_run_leaves(steps):
    """Messages in order; one that was not confirmed is sent again; a death takes the memory."""
    at_ms, messages = 0, []
    for step_ms, active, *_ in steps:
        at_ms += step_ms
        messages.append(smoke(at_ms, active=active, seq=at_ms))
    undisturbed = heard(*messages)
    log, held = Log(), Occurrences()
    for message, (*_, lost, dies) in zip(messages, steps, strict=True):
        settled, told = held.settle(message)
        if lost:  # not on the log, not acknowledged: the device sends it again
            if dies:
                held = log.recalled()
            settled, told = held.settle(message)
        log.append(settled)
        if not dies:
            held.confirm(told)
        else:  # on the log, and the process ended before it knew
            held = log.recalled()
    assert sorted(log.told()) == sorted(undisturbed.told())
    assert len(log.counted) == len(undisturbed.counted)


def test_every_signal_type_is_a_state_or_a_moment():
    assert SIGNAL_TYPES.keys() > LASTING
    assert SIGNAL_TYPES.keys() - LASTING == {"sos", "forced_door"}


@pytest.mark.parametrize("count", [100_001])
def test_memory_is_bounded(count):
    held = Occurrences()
    for number in range(count):
        held.recall(Signal(id="x", type="smoke", state="active", device=f"d{number}", grid="g", source="s",
                           observed_at_ms=T0, received_at_ms=0))  # fmt: skip
    assert held.settle(smoke(1, device=f"d{count - 1}"))[0].signals == ()
    assert len(held.settle(smoke(1, device="d0"))[0].signals) == 1
