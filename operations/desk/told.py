"""What is told to open pages, written once for all of them: each page joins what its person may see. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from operations.alerts.view import View, view_facts
from operations.cases.model import Entry
from operations.cases.people import sees
from operations.desk.case_answers import CaseItem
from operations.desk.seen import NOBODY, in_places
from operations.people.roles import Person

__all__ = ["CaseNews", "News", "TellsAlert", "TellsCase", "event", "tells_alert", "tells_case"]


class CaseNews(msgspec.Struct, frozen=True):
    """What happened to a case: the line of its flow log, that line's number, and the case as it is now."""

    number: int
    entry: Entry
    case: CaseItem


@dataclass(frozen=True, slots=True)
class TellsAlert:
    """An alert that changed: for who cares for people, and for all others."""

    place: str
    whole: bytes
    without_subject: bytes


@dataclass(frozen=True, slots=True)
class TellsCase:
    """Something that happened to a case."""

    case: CaseItem
    written: bytes


@dataclass(frozen=True, slots=True)
class News:
    """What changed since the last look."""

    alerts: tuple[TellsAlert, ...] = ()
    cases: tuple[TellsCase, ...] = ()

    def for_person(self, person: Person) -> Iterator[bytes]:
        """The events that a page of theirs gets; none where nothing is of them."""
        if found := [_words(each, person) for each in self.alerts if _may(each, person)]:
            yield event("changed", found)
        may = "cases.read" in person.permissions
        if told := [each.written for each in self.cases if may and sees(person, each.case)]:
            yield event("cases", told)


def tells_alert(view: View) -> TellsAlert:
    """The alert, written."""
    facts = view_facts(view)
    whole = msgspec.json.encode(facts)
    return TellsAlert(view.alert.place, whole, msgspec.json.encode(facts | NOBODY))


def tells_case(news: CaseNews) -> TellsCase:
    """What happened, written."""
    return TellsCase(news.case, msgspec.json.encode(news))


def event(name: str, written: Iterable[bytes]) -> bytes:
    """One server-sent event whose data is a JSON array of these."""
    return b"event: " + name.encode() + b"\ndata: [" + b",".join(written) + b"]\n\n"


def _may(told: TellsAlert, person: Person) -> bool:
    return "alerts.read" in person.permissions and in_places(person, told.place)


def _words(told: TellsAlert, person: Person) -> bytes:
    return told.whole if "care.identity" in person.permissions else told.without_subject
