"""Alerts of the store as the desk shows them: with their states, for whom they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from operations.alerts.choose import Selection, choose
from operations.alerts.view import View, view_facts, views
from operations.desk.store import DeskStore
from operations.people.roles import Person
from schemas.alerts import Alert

__all__ = ["for_person", "in_places", "seen", "wanted"]


def seen(store: DeskStore, alerts: Sequence[Alert], now_ms: int) -> list[View]:
    """These alerts with their states now; parents that stand for them are looked up."""
    ids = [alert.id for alert in alerts]
    known = set(ids)
    parents = [parent for parent in store.parents() if parent.id not in known]
    found = views([*alerts, *parents], store.actions_on(ids), store.hidings(now_ms), now_ms)
    return found[: len(ids)]


def wanted(store: DeskStore, selection: Selection, person: Person, now_ms: int) -> list[View]:
    """The wanted alerts of the person's places: the most urgent first, of those the newest first."""
    since_ms = now_ms if selection.since_ms is None else selection.since_ms
    known = [alert for alert in store.alerts(since_ms) if in_places(person, alert.place)]
    return seen(store, choose(known, selection), now_ms)


def in_places(person: Person, place: str) -> bool:
    """Whether they answer for it. What has no place is the district's."""
    return any(place.startswith(mine) for mine in person.places) or not place


def for_person(view: View, person: Person) -> dict[str, Any]:
    """Everything of the alert that the person may see, ready for JSON."""
    facts = view_facts(view)
    return facts if "care.identity" in person.permissions else facts | {"subject": ""}
