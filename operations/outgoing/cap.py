"""Alerts as CAP 1.2 messages (OASIS, 1 July 2010), and a feed of them (Atom, RFC 4287). Pure.

One alert is told by messages of deterministic identity, so that a platform that has one knows the others,
whoever was restarted in between: `<id>` begins it, `<id>.<revision>` updates or ends it, and refers to the
first. `sent` is the event time of what is told. What is simulated is `Test`, which a receiver disregards.
No device of a home, no subject and no pseudonym is told, and of care no place smaller than a community.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final
from xml.etree.ElementTree import Element

import shapely

from operations.outgoing.geography import Geography
from operations.outgoing.words import (
    SEVERITY,
    Language,
    category,
    certainty,
    description,
    headline,
    place_told,
    urgency,
)
from operations.outgoing.xml import ATOM, CAP, added, document, root
from schemas.alerts import Alert
from schemas.calendar import local

__all__ = ["SENDER", "TOLD_MS", "current", "feed", "message", "message_type"]

SENDER: Final = "taishi"
TOLD_MS: Final = 24 * 3_600_000
"""How long an alert that is over is still told of, and how long a message holds without a new one."""

_LANGUAGES: Final[tuple[Language, ...]] = ("zh-CN", "en-US")
_UNSAFE: Final = re.compile(r"[\s,<>&]")
_RESTRICTION: Final = "for the authorities of the district, by its own agreement with the operator"


def message_type(alert: Alert) -> str:
    """Alert for what begins (or was over when first told), Update for what changed, Cancel for what ended."""
    if alert.active or alert.latched:
        return "Alert" if alert.active and _unchanged(alert) else "Update"
    return "Alert" if alert.cleared_ms <= alert.onset_ms else "Cancel"


def current(alerts: Iterable[Alert], now_ms: int) -> list[Alert]:
    """Those that are active, and those that are over for less than `TOLD_MS`; the newest news first."""
    told = [alert for alert in alerts if alert.active or now_ms - _sent_ms(alert) < TOLD_MS]
    return sorted(told, key=lambda alert: (-_sent_ms(alert), alert.id))


def message(alert: Alert, geography: Geography, sender: str = SENDER) -> bytes:
    """The newest message of an alert; elements in the order of the schema."""
    kind = message_type(alert)
    top = root(CAP, "alert")
    added(top, "identifier", _identifier(alert))
    added(top, "sender", _UNSAFE.sub("_", sender))
    added(top, "sent", _moment(_sent_ms(alert)))
    added(top, "status", "Test" if alert.simulated else "Actual")
    added(top, "msgType", kind)
    added(top, "scope", "Restricted")
    added(top, "restriction", _RESTRICTION)
    if kind != "Alert":
        added(top, "references", f"{_UNSAFE.sub('_', sender)},{alert.id},{_moment(alert.onset_ms)}")
    if alert.parent:
        added(top, "incidents", _UNSAFE.sub("_", alert.parent))
    for language in _LANGUAGES:
        _info(top, alert, geography, language)
    return document(top)


def feed(alerts: Sequence[Alert], url: str, now_ms: int, sender: str = SENDER) -> bytes:
    """The Atom feed: an entry each, with the address of its message. `url` is that of the feed."""
    top = root(ATOM, "feed")
    added(top, "id", "urn:taishi:cap:alerts")
    added(top, "title", "态势告警 Taishi alerts")
    added(top, "updated", _moment(max(map(_sent_ms, alerts), default=now_ms)))
    added(added(top, "author"), "name", sender)
    added(top, "link", rel="self", href=url, type="application/atom+xml")
    for alert in alerts:
        entry = added(top, "entry")
        added(entry, "id", f"urn:taishi:cap:{_identifier(alert)}")
        added(entry, "title", headline(alert, "zh-CN"))
        added(entry, "updated", _moment(_sent_ms(alert)))
        added(entry, "link", rel="alternate", type="application/cap+xml", href=f"{url}/{alert.id}")
        added(entry, "summary", description(alert, "zh-CN"))
        added(entry, "category", term=category(alert))
    return document(top)


def _info(top: Element, alert: Alert, geography: Geography, language: Language) -> None:
    info = added(top, "info")
    added(info, "language", language)
    added(info, "category", category(alert))
    added(info, "event", headline(alert, language))
    added(info, "urgency", urgency(alert))
    added(info, "severity", SEVERITY[alert.severity])
    added(info, "certainty", certainty(alert))
    added(_named(info, "eventCode", "taishi:rule"), "value", alert.rule)
    added(info, "onset", _moment(alert.onset_ms))
    added(info, "expires", _moment(_sent_ms(alert) + TOLD_MS))
    added(info, "senderName", "态势 Taishi")
    added(info, "headline", headline(alert, language))
    added(info, "description", description(alert, language))
    added(_named(info, "parameter", "taishi:occurrences"), "value", str(alert.count))
    _area(info, alert, geography)


def _area(info: Element, alert: Alert, geography: Geography) -> None:
    """The place; the outline of a made-up grid is told of a simulated alert only."""
    code = place_told(alert)
    area, place = added(info, "area"), geography.place(code)
    added(area, "areaDesc", place.name if place else code)
    outline = geography.outline(code) if alert.simulated or not geography.synthetic else None
    for polygon in getattr(outline, "geoms", [] if outline is None else [outline]):
        added(area, "polygon", _ring(polygon))
    added(_named(area, "geocode", "taishi:place"), "value", code)


def _ring(polygon: shapely.Polygon) -> str:
    """CAP's order is latitude, longitude; the last point is the first."""
    return " ".join(f"{point[1]:.6f},{point[0]:.6f}" for point in polygon.exterior.coords)


def _named(parent: Element, name: str, value_name: str) -> Element:
    pair = added(parent, name)
    added(pair, "valueName", value_name)
    return pair


def _identifier(alert: Alert) -> str:
    return alert.id if message_type(alert) == "Alert" else f"{alert.id}.{alert.revision}"


def _unchanged(alert: Alert) -> bool:
    return alert.count == 1 and alert.told_ms <= alert.onset_ms


def _sent_ms(alert: Alert) -> int:
    if message_type(alert) == "Alert":
        return alert.onset_ms
    return max(alert.told_ms, alert.cleared_ms, alert.onset_ms)


def _moment(at_ms: int) -> str:
    """With a numeric offset, as CAP wants it: never `Z`."""
    return local(at_ms // 1000 * 1000).isoformat(timespec="seconds")
