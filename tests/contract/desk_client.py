"""A desk under test: the real application on a real database, people who sign in, and a clock of its own."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import argon2
import httpx
import pyotp
import uvicorn
from fastapi import FastAPI

from operations.cases.config import shipped_config
from operations.cases.decide import SYSTEM
from operations.desk.app import application
from operations.desk.city import City
from operations.desk.feed import Feed
from operations.desk.state import Desk
from operations.desk.store import DeskStore
from operations.people.audit import Said
from operations.people.passwords import Passwords
from operations.people.roles import ROLES, Person, Role
from operations.people.sign_in import SigningIn
from operations.scenarios.load import parse_scenarios
from operations.store.casebook import CaseBook
from operations.store.people import Credentials
from schemas.alerts import Alert, alert_id
from schemas.places.registry import PlaceRegistry, known_places
from schemas.places.synthetic import synthetic_layer
from schemas.topics import ALERTS

PASSWORD = "correct horse battery"  # noqa: S105 - of a test
NOW = 1_800_000_000_000
STREET, GRID = "370202001", "370202001001001"


@dataclass
class Clock:
    now_ms: int = NOW

    def __call__(self) -> int:
        return self.now_ms


class WallClock(Clock):
    """Today's time, for browsers; set ahead like any other."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    @property
    def now_ms(self) -> int:  # type: ignore[override]
        return time.time_ns() // 1_000_000 + self.ahead_ms

    @now_ms.setter
    def now_ms(self, now_ms: int) -> None:
        self.ahead_ms += now_ms - self.now_ms


@dataclass
class Served:
    """The application and all that a test asks of it."""

    client: httpx.Client
    store: DeskStore
    cases: CaseBook
    clock: Clock
    secrets: dict[str, str] = field(default_factory=dict)
    offset: int = 0

    def enter(
        self, identity: str, *roles: Role, places: tuple[str, ...] = ("370202",), department: str = ""
    ) -> None:
        """Somebody new, whose password is PASSWORD."""
        self.secrets[identity] = pyotp.random_base32()
        person = Person(id=identity, name=identity, roles=roles, places=places, department=department)
        said = Said(at_ms=self.clock(), who="root", terminal="cli", what="people.add", of=identity)
        self.store.add_person(person, Credentials(HASH, self.secrets[identity]), said)

    def code(self, identity: str) -> str:
        """A code that was not used yet."""
        self.clock.now_ms += 30_000
        return pyotp.TOTP(self.secrets[identity]).at(self.clock.now_ms // 1000)

    def token(self, identity: str, terminal: str = "desk") -> dict[str, str]:
        """The header of somebody who signed in just now."""
        terminal = "wall" if identity == "screen" else terminal
        asked = {"id": identity, "password": PASSWORD, "code": self.code(identity), "terminal": terminal}
        answer = self.client.post("/api/session", json=asked)
        assert answer.status_code == 200, answer.text
        (token,) = answer.cookies.values()
        self.client.cookies.clear()
        return {"Authorization": f"Bearer {token}"}

    def raise_alert(self, rule: str = "signal.fire", place: str = GRID, **given: object) -> str:
        """An alert as the reader of the topic takes it."""
        onset_ms = int(given.pop("onset_ms", self.clock()))  # type: ignore[call-overload]
        fields: dict[str, object] = {
            "id": alert_id(rule, place, onset_ms),
            "rule": rule,
            "severity": "high",
            "domain": "security",
            "level": "grid",
            "place": place,
            "onset_ms": onset_ms,
            "active": True,
            "title": "烟感 smoke",
            "revision": 1,
        }
        alert = Alert(**(fields | given))  # type: ignore[arg-type]
        self.offset += 1
        self.store.take(ALERTS, [alert], self.offset, self.clock())
        return alert.id

    def open_case(self, rule: str, place: str = GRID, **given: object) -> str:
        """The case of such an alert, as a rule opens it; its id."""
        alert = self.raise_alert(rule, place, **given)
        return self.cases.open_for_alert(alert, SYSTEM, self.clock()).case.id


PASSWORDS = Passwords(argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
HASH = PASSWORDS.hashed(PASSWORD)
EVENT = f"""
id = "drill"
name = "啤酒节开幕"
places = ["{STREET}"]
from = 2027-01-15T07:30:00Z
until = 2027-01-15T20:00:00Z
holds = ["rule.parking"]
raises = [{{ rule = "rule.crowd", severity = "high" }}]
units = [
  {{ code = "hq", kind = "headquarters", name = "指挥部" }},
  {{ code = "east", kind = "theatre", name = "东战区", parent = "hq", places = ["{STREET}"] }},
  {{ code = "square", kind = "front_team", name = "广场专班", parent = "east", places = ["{STREET}001"] }},
  {{ code = "gate", kind = "combat_unit", name = "正门单元", parent = "square", places = ["{GRID}"] }},
]
duty = [
  {{ unit = "hq", people = ["shift_leader"], from = 2027-01-15T07:30:00Z, until = 2027-01-15T20:00:00Z }},
  {{ unit = "east", people = ["street"], from = 2027-01-15T07:30:00Z, until = 2027-01-15T20:00:00Z }},
  {{ unit = "square", people = ["community"], from = 2027-01-15T07:30:00Z, until = 2027-01-15T20:00:00Z }},
  {{ unit = "gate", people = ["grid_worker"], from = 2027-01-15T07:30:00Z, until = 2027-01-15T20:00:00Z }},
]
"""
"""A major event that began shortly before `NOW`."""
SCENARIOS = parse_scenarios(f"""
photo_max_bytes = 1000
stations = [
  {{ code = "s1", name = "香港中路党群服务中心", at = [120.384, 36.064] }},
  {{ code = "s2", name = "八大湖党群服务站", at = [120.395, 36.078] }},
  {{ code = "s3", name = "八大关党群服务站", at = [120.352, 36.055] }},
  {{ code = "s4", name = "江苏路党群服务站", at = [120.335, 36.066] }},
]
members = [
  {{ name = "party_member", work_unit = "市政公司第二党支部", community = "{GRID[:12]}" }},
  {{ name = "孙八", work_unit = "区人民医院党支部", community = "370202005001" }},
]
branches = [{{ grid = "{GRID}", name = "第一网格党支部", secretary = "周书记" }}]
points = [
  {{ code = "gate", name = "正门岗亭", at = [120.38, 36.07] }},
  {{ code = "boiler", name = "锅炉房", at = [120.381, 36.07] }},
  {{ code = "garage", name = "地下车库", at = [120.3805, 36.0705] }},
]
rounds = [{{ code = "day", name = "白班巡逻", points = ["gate", "boiler", "garage"], every_s = 86400 }}]
""")
CITY = City(PlaceRegistry(known_places("370202"), synthetic_layer("370202")))


@contextmanager
def served(url: str, clock: Clock | None = None, **more: Any) -> Iterator[Served]:
    """A desk with one person of each role, called as it. `more`: other fields of the desk."""
    store, cases, clock = DeskStore(url), CaseBook(url, shipped_config()), clock or Clock()
    door = SigningIn(store, PASSWORDS)
    feed, given = Feed(store, cases, clock), {"scenarios": SCENARIOS} | more
    desk = Desk("370202", store, cases, door, PASSWORDS, feed, clock, CITY, **given)
    with listening(application(desk)) as address, httpx.Client(base_url=address, timeout=30) as client:
        made = Served(client, store, cases, clock)
        for role in ROLES:
            made.enter(role, role)
        yield made
    store.close()
    cases.close()


@contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """The application on a port of its own, over real HTTP."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()
