"""A day at the desk with everything in it: a shift that goes over, a major event, parking, care, patrols."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from operations.scenarios.identity import Resident
from operations.scenarios.parking import ParkingNow, Spaces
from operations.scenarios.photos import Photos
from tests.contract.desk_client import CITY, EVENT, GRID, Served, WallClock

HOUR_MS = 3_600_000
RESIDENT = Resident(
    name="周奶奶", telephone="138 0000 0000", address="香港中路 1 号 3 单元", contact="女儿 周女士"
)
_CARE = (
    ("p1-0a51c2d3e4f5061728aa", GRID, "life_safety", "紧急呼救 SOS", 4),
    ("p1-77b0c2d3e4f506172811", GRID[:-1] + "2", "high", "夜间离床未归 out of bed", 40),
    ("p1-3c91c2d3e4f50617285f", GRID[:-1] + "3", "medium", "心率异常 heart rate out of range", 95),
)


def parking(now_ms: int) -> ParkingNow:
    """Two thirds of the grids have spaces, some of them nearly none left."""
    grids = [code for n, code in enumerate(CITY.places.grid_codes) if n % 3]
    now = {code: Spaces(60 + 7 * (n % 9), (n * 37 % 60) + 3 * (n % 9), n % 4) for n, code in enumerate(grids)}
    before = {code: Spaces(each.spaces, each.occupied * 0.9, each.unknown) for code, each in now.items()}
    return ParkingNow(at_ms=now_ms - now_ms % 10_000, simulated=True, now=now, before=before)


def furnished(folder: Path) -> dict[str, Any]:
    """What such a desk has beside the usual."""
    residents = {subject: RESIDENT for subject, *_ in _CARE}
    return {
        "photos": Photos(folder / "photos", 1_000_000),
        "parking": lambda: parking(WallClock().now_ms),
        "identify": residents.get,
    }


def drill(desk: Served) -> None:
    """Three hours of an event, a hand-over that waits, residents at risk, a patrol under way."""
    now_ms = desk.clock()
    for subject, place, severity, title, minutes in _CARE:
        more: dict[str, Any] = {"severity": severity, "title": title, "domain": "care", "subject": subject}
        desk.raise_alert("rule.care", place, onset_ms=now_ms - minutes * 60_000, **more)
    desk.open_case("signal.gas", title="燃气泄漏报警 gas", severity="high")
    tokens = {
        who: desk.token(who) for who in ("shift_leader", "grid_worker", "street", "community", "operator")
    }
    _event(desk, tokens, now_ms)
    near = {"longitude": 120.38, "latitude": 36.07}
    _post(desk, "/patrols/gate/check-in", tokens["grid_worker"], near)
    notes = "锅炉房 3 号泵已报修，师傅 22:00 到；啤酒节散场前后注意地铁口人流。"
    _post(desk, "/handovers", tokens["operator"], {"notes": notes, "id": "evening"})


def _event(desk: Served, tokens: dict[str, dict[str, str]], now_ms: int) -> None:
    began_ms = now_ms - now_ms % HOUR_MS - 3 * HOUR_MS
    text = EVENT
    for given, at_ms in (
        ("2027-01-15T07:30:00Z", began_ms),
        ("2027-01-15T20:00:00Z", began_ms + 12 * HOUR_MS),
    ):
        text = text.replace(given, f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}")
    _post(desk, "/major-events", tokens["shift_leader"], {"text": text})
    desk.clock.now_ms -= 3 * HOUR_MS - 60_000
    _post(desk, "/major-events/drill/on", tokens["shift_leader"], {"why": "啤酒节开幕"})
    desk.clock.now_ms += 3 * HOUR_MS - 60_000
    reports = (
        ("street", "east", (1, 2, 3), "zero", ""),
        ("community", "square", (1, 3), "zero", ""),
        ("grid_worker", "gate", (1, 2), "situation", "入口排队约 200 人，已增开通道"),
    )
    for who, unit, dues, kind, words in reports:
        for due in dues:
            body = {"unit": unit, "kind": kind, "text": words, "due_ms": began_ms + due * HOUR_MS}
            body["said_ms"] = began_ms + due * HOUR_MS - 60_000
            _post(desk, "/major-events/drill/reports", tokens[who], body)


def _post(desk: Served, path: str, token: dict[str, str], body: dict[str, Any]) -> None:
    answer = desk.client.post(f"/api{path}", json=body, headers=token)
    assert answer.status_code == 200, answer.text
