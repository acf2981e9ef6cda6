"""The share of false alarms by vendor: of what people concluded, from the desk's database."""

import pytest
from msgspec.structs import replace

from operations.alerts.actions import Action, Target
from operations.store.actions import ActionRows
from schemas.alerts import Alert
from taishi.outcomes import vendor_outcomes
from taishi.settings import load_settings
from taishi.status.outcomes import OutcomeScore, outcome_scores

SMOKE = Alert(
    id="a" * 32, rule="signal.smoke", severity="life_safety", domain="security", level="grid",
    place="370202001001001", onset_ms=5, active=False, title="烟雾报警 smoke", cleared_ms=9, device="smoke-1",
)  # fmt: skip


def test_false_are_nuisances_and_device_faults_among_what_was_judged():
    said = [("d1", "real"), ("d1", "nuisance"), ("d2", "device_fault"), ("d2", "real"), ("d2", "test")]
    (score,) = outcome_scores(said, {"d1": "bosch", "d2": "bosch"})
    assert score == OutcomeScore("bosch", 5, real=2, nuisance=1, device_fault=1, false_alarms=0.5)


@pytest.mark.parametrize("outcome", ["test", "cannot_tell"])
def test_what_says_nothing_of_a_device_is_no_share(outcome):
    (score,) = outcome_scores([("d1", outcome)], {})
    assert score == OutcomeScore("unknown", 1, 0, 0, 0, false_alarms=None)


def test_alerts_of_places_are_no_vendors():
    assert outcome_scores([("", "real")], {"": "bosch"}) == []


def test_what_the_desk_was_told_is_counted_by_the_registrys_vendor(tmp_path):
    settings = load_settings(home=tmp_path)
    assert vendor_outcomes(settings, 0, 100) == [], "where no desk ever ran none is begun"
    assert not (tmp_path / "data").exists()
    (tmp_path / "data").mkdir()
    (tmp_path / "devices.csv").write_text(
        "device,model,kind,grid,longitude,latitude,crs,subject,capacity,simulated,vendor\n"
        "smoke-1,native,security.fire,370202001001001,,,,,,false,海康\n",
        "utf-8",
    )
    store = ActionRows(settings.operations_url)
    alerts = [SMOKE, replace(SMOKE, id="b" * 32, onset_ms=6), replace(SMOKE, id="c" * 32, device="smoke-2")]
    store.take("alerts", alerts, 3, 10)
    for number, (alert, outcome) in enumerate(zip(alerts, ("real", "nuisance", "real"), strict=True)):
        done = Action(
            id=f"{number:032x}", kind="conclude", target=Target(alert_id=alert.id), by="王芳",
            at_ms=20 + number, outcome=outcome, why="看过了",
        )  # fmt: skip
        store.act(done, 20 + number)
    store.close()
    told = {each.vendor: (each.concluded, each.false_alarms) for each in vendor_outcomes(settings, 0, 100)}
    assert told == {"海康": (2, 0.5), "unknown": (1, 0.0)}
    (of_one,) = vendor_outcomes(settings, 6, 7)
    assert (of_one.vendor, of_one.nuisance, of_one.concluded) == ("海康", 1, 1), "of what began in that time"
