"""The alarm budget of a rule set: what counts, and against what."""

from schemas.alerts import Alert, alert_id
from taishi.rules_history import budget, told

DAY_MS = 86_400_000
T0 = 1_790_006_400_000


def alert(n, *, rule="rule.full", at_ms=None, place=None, severity="medium", active=True):
    place = place or f"370202001001{n:03d}"
    at_ms = T0 + n * 3_600_000 if at_ms is None else at_ms
    return Alert(id=alert_id(rule, place, at_ms, str(n)), rule=rule, severity=severity, domain="parking",
                 level="grid", place=place, onset_ms=at_ms, active=active, title="t")  # fmt: skip


def test_the_load_is_shared_by_the_operators_and_named_by_its_sources():
    alerts = [alert(n, place="370202001001001") for n in range(18)] + [alert(20 + n) for n in range(6)]
    load = budget(alerts, T0, T0 + 2 * DAY_MS, operators=2)
    assert (load.days, load.alerts, load.a_day, load.most_in_ten_min) == (2.0, 24, 6.0, 0.5)
    assert load.top[0] == ("rule.full@370202001001001", 18)
    assert load.kept


def test_too_many_a_day_or_in_ten_minutes_break_the_budget():
    many = [alert(n, at_ms=T0 + n * 500_000) for n in range(150)]
    assert budget(many, T0, T0 + DAY_MS, operators=1).most_in_ten_min == 2
    assert not budget(many, T0, T0 + DAY_MS, operators=1).kept
    assert budget(many, T0, T0 + DAY_MS, operators=2).kept
    burst = [alert(n, at_ms=T0 + n) for n in range(11)]
    load = budget(burst, T0, T0 + DAY_MS, operators=1)
    assert (load.kept, load.most_in_ten_min, load.over_ten_share) == (False, 11, 1 / 144)


def test_no_alerts_are_no_load():
    load = budget([], T0, T0 + DAY_MS, operators=1)
    assert (load.kept, load.a_day, load.top_share) == (True, 0.0, 0.0)


def test_a_storm_counts_once_and_what_signals_said_counts_as_it_was():
    storm = [alert(n, at_ms=T0 + n * 1000) for n in range(30)]
    kept = [
        alert(1, rule="signal.sos", active=False),
        alert(
            2, rule="rule.full", place="370202002002002"
        ),  # the topic's own version of the set's: not again
        alert(3, rule="silence.care.bed", at_ms=T0 - 1),
    ]
    found = told(storm, kept, T0)
    assert sorted(a.rule for a in found) == ["signal.sos", "storm.rule.full"]
