"""Alerts of the store as the desk shows them: with their states, for whom they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from fastapi import HTTPException

from operations.alerts.choose import Selection, choose
from operations.alerts.view import View, view_facts, views
from operations.desk.store import DeskStore
from operations.major_event.priorities import raised
from operations.people.roles import Person, in_places
from schemas.alerts import Alert

__all__ = ["NOBODY", "alert_of", "for_person", "in_places", "seen", "wanted"]


NOBODY: Final = {"subject": ""}
"""What is said of whom an alert is about, to who does not care for people."""


def seen(store: DeskStore, alerts: Sequence[Alert], now_ms: int) -> list[View]:
    """These alerts with their states now; parents that stand for them are looked up."""
    ids = [alert.id for alert in alerts]
    alerts = _raised(store, alerts, now_ms)
    known = set(ids)
    parents = [parent for parent in store.parents() if parent.id not in known]
    found = views([*alerts, *parents], store.actions_on(ids), store.hidings(now_ms), now_ms)
    return found[: len(ids)]


def wanted(store: DeskStore, selection: Selection, person: Person, now_ms: int) -> list[View]:
    """The wanted alerts of the person's places: the most urgent first, of those the newest first."""
    since_ms = now_ms if selection.since_ms is None else selection.since_ms
    known = [alert for alert in store.alerts(since_ms) if in_places(person, alert.place)]
    return seen(store, choose(_raised(store, known, now_ms), selection), now_ms)


def _raised(store: DeskStore, alerts: Iterable[Alert], now_ms: int) -> list[Alert]:
    """The alerts with the severity that a major event gives them now."""
    events = store.switched_on(now_ms)
    return [raised(alert, events, now_ms) for alert in alerts] if events else list(alerts)


def alert_of(store: DeskStore, alert_id: str, person: Person) -> Alert:
    """The alert; 404 also where it is not of their places: what one may not see is not there."""
    found = store.find(alert_id)
    if not found or not in_places(person, found[0].alert.place):
        raise HTTPException(404, f"告警 alert: received {alert_id!r}, which the desk does not know")
    return found[0].alert


def for_person(view: View, person: Person) -> dict[str, Any]:
    """Everything of the alert that the person may see, ready for JSON."""
    facts = view_facts(view)
    return facts if "care.identity" in person.permissions else facts | NOBODY
