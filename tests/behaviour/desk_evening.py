"""An evening at the desk: alerts of every severity, one of them with a past."""

from __future__ import annotations

from tests.contract.desk_client import CITY, GRID, STREET, Served

MINUTE_MS = 60_000
_GRIDS = CITY.places.grid_codes
_ALERTS = (
    ("signal.sos", GRID[:-1] + "2", 10, {"severity": "life_safety", "title": "紧急呼救 SOS",
     "domain": "care"}),
    ("signal.intrusion", _GRIDS[300], 21, {"severity": "high", "title": "区域入侵 intrusion",
     "count": 3}),
    ("rule.parking.full", "370202002", 65, {"severity": "medium", "title": "停车压力 parking pressure",
     "domain": "parking", "level": "street", "observed": 0.97, "expected": 0.71, "threshold": 0.95}),
    ("silence.device", _GRIDS[420], 125, {"severity": "low", "title": "设备失联 device silent",
     "device": "bay-77", "simulated": True}),
)  # fmt: skip


def evening(desk: Served) -> str:
    """What a desk looks at; returns the fire's id."""
    now_ms = desk.clock()
    for rule, place, minutes, more in _ALERTS:
        desk.raise_alert(rule, place, onset_ms=now_ms - minutes * MINUTE_MS, **more)
    smoke = {"severity": "life_safety", "title": "烟雾报警 smoke"}
    for days in (2, 6, 9):
        before_ms = now_ms - days * 1440 * MINUTE_MS
        over = {"active": False, "onset_ms": before_ms, "cleared_ms": before_ms + 4 * MINUTE_MS}
        desk.raise_alert("signal.smoke", **smoke, **over)
    why = "烟感 smoke-12 报警，环境温度 41 °C。 Smoke detector smoke-12 alarms, 41 °C around."
    more = {"explanation": why, "device": "smoke-12", "latched": True}
    return desk.raise_alert("signal.smoke", onset_ms=now_ms - 95_000, **smoke, **more)


def cases_of(desk: Served, fire: str) -> str:
    """Three cases, one of them the fire's, which a member took up; returns that one's id."""
    desk.enter("党员李强", "party_member", places=(STREET,))
    by = {who: desk.token(who) for who in ("shift_leader", "党员李强")}
    opened = desk.client.post(f"/api/alerts/{fire}/case", json={}, headers=by["shift_leader"]).json()
    case: str = opened["case"]["case"]["id"]
    sent = {"department": "消防救援站"}
    desk.client.post(f"/api/cases/{case}/dispatch", json=sent, headers=by["shift_leader"]).raise_for_status()
    desk.client.post(f"/api/cases/{case}/claim", json={}, headers=by["党员李强"]).raise_for_status()
    for title, place in (("路面塌陷", "370202002"), ("垃圾满溢", "370202005")):
        told = {"title": title, "place": place, "category": "other"}
        desk.client.post("/api/cases", json=told, headers=by["shift_leader"]).raise_for_status()
    return case
