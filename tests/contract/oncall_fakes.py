"""Helpers of the on-call contracts: alerts, a store, a clock of their own, and a receiver in memory."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import msgspec

from operations.alerts.actions import Action, Target, action_id
from operations.oncall import service
from operations.oncall.deliver import Delivery
from operations.oncall.load import parse_oncall
from operations.oncall.model import OnCall
from operations.oncall.service import Teller
from operations.oncall.store import Store
from schemas.alerts import Alert

T0 = 1_795_392_000_000
HOUR = 3_600_000
COMMUNITY = "370202001001"


def alert(number: int = 0, **changed: Any) -> Alert:
    made = Alert(
        id=f"{number:032x}", rule="device.silent", severity="high", domain="parking", level="device",
        place=f"{COMMUNITY}{number % 5 + 1:03}", onset_ms=T0, active=True, title="设备失联 silent",
        device=f"d{number}",
    )  # fmt: skip
    return msgspec.structs.replace(made, **changed)


def oncall(*, people: int = 1, **step: Any) -> OnCall:
    names = ["王芳", "李强", "赵敏"][:people]
    return parse_oncall(
        {
            "people": {name: ["json://127.0.0.1:9/never"] for name in names},
            "routes": [{"name": "all", "steps": [{"people": names} | step]}],
        }
    )


def action(kind: str, about: Alert | Target, at_ms: int, by: str = "王芳", **more: Any) -> Action:
    target = about if isinstance(about, Target) else Target.of(about)
    why = more.pop("why", "维修 repair")
    identity = more.pop("key", "") or action_id(kind, target, by, at_ms)
    return Action(id=identity, kind=kind, target=target, by=by, at_ms=at_ms, why=why, **more)


class Desk:
    """A teller on a clock that stands still, whose messages are kept instead of sent."""

    def __init__(self, store: Store, told: OnCall, patch: Any, now_ms: int = T0) -> None:
        self.store, self.oncall, self.now_ms = store, told, now_ms
        self.told: list[tuple[str, str, str]] = []
        self.fails = False
        patch.setattr(service, "now_ms", lambda: self.now_ms)
        patch.setattr(service, "deliver", self._deliver)
        self.restart()

    def restart(self) -> None:
        """A new process: it knows what the store knows."""
        self.teller = Teller(self.oncall, self.store)

    def take(self, *alerts: Alert) -> None:
        self.store.take("alerts", alerts, 1, self.now_ms)

    def act(self, kind: str, about: Alert | Target, **more: Any) -> Action:
        return self.store.act(action(kind, about, self.now_ms, **more), self.now_ms)

    def look(self, later_ms: int = 0) -> list[tuple[str, str]]:
        """Let time pass and look twice (plan and send); what was told by it: person, title."""
        self.now_ms += later_ms
        before = len(self.told)
        with ThreadPoolExecutor(1) as senders:
            for _ in range(2):
                self.teller.look(senders)
                for sending in list(self.teller._busy.values()):
                    sending.result(30)
        return [(person, head) for person, head, _ in self.told[before:]]

    def keys(self) -> list[str]:
        return [text.rpartition("key ")[2].strip() for _, _, text in self.told]

    def _deliver(self, person: Any, head: str, text: str, *_known: Any) -> Delivery:
        if self.fails:
            return Delivery(problem="no channel")
        self.told.append((person.name, head, text))
        return Delivery("json")


@contextmanager
def opened(url: str) -> Iterator[Store]:
    store = Store(url)
    try:
        yield store
    finally:
        store.close()
