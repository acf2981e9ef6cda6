"""The TOML text of a major event to values, or a refusal of all that is wrong, by file, line and field."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

import msgspec

from operations.forms import Checking, filled
from operations.major_event.model import KINDS, DutyTurn, MajorEvent, Raise, Rhythm, Unit, within
from schemas.alerts import SEVERITIES
from schemas.calendar import ZONE, local

__all__ = ["load_major_event"]

_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_DAY_S: Final = 86_400
_Field = tuple[str | int, ...]


class _UnitForm(msgspec.Struct, forbid_unknown_fields=True):
    code: str
    kind: str
    name: str
    parent: str = ""
    places: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    reports: bool | None = None


class _DutyForm(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    unit: str
    people: tuple[str, ...]
    from_: datetime
    until: datetime


class _RaiseForm(msgspec.Struct, forbid_unknown_fields=True):
    rule: str
    severity: str
    place: str = ""


class _Form(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    id: str
    name: str
    places: tuple[str, ...]
    from_: datetime
    until: datetime
    units: tuple[_UnitForm, ...]
    duty: tuple[_DutyForm, ...]
    raises: tuple[_RaiseForm, ...] = ()
    holds: tuple[str, ...] = ()
    report_every_s: int = 3600
    report_grace_s: int = 600
    remind_s: int = 300
    remind_max: int = 3
    escalate_s: int = 300
    repeat_max: int = 3

    @property
    def from_ms(self) -> int:
        return _ms(self.from_)

    @property
    def until_ms(self) -> int:
        return _ms(self.until)


def load_major_event(text: str, source: str = "event.toml") -> MajorEvent:
    """Read and check it; FormRefused lists what to change, SettingsError what is no TOML."""
    form, checking = filled(text, source, _Form)
    _Checks(checking).form(form)
    checking.refuse()
    return _event(form)


class _Checks:
    """What must hold beyond types."""

    def __init__(self, checking: Checking) -> None:
        self._ask, self._one_of = checking.ask, checking.one_of

    def form(self, form: _Form) -> None:
        self._ask(
            _ID.fullmatch(form.id), ("id",), form.id, "up to 40 of a-z, 0-9 and -, a letter or digit first"
        )
        self._ask(form.name.strip(), ("name",), form.name, "a text")
        self._ask(form.places and all(form.places), ("places",), list(form.places), "one code or more")
        self._ask(form.from_ms < form.until_ms, ("until",), str(form.until), "a moment after from")
        for name in ("report_every_s", "report_grace_s", "remind_s", "escalate_s"):
            self._ask(0 < getattr(form, name) <= _DAY_S, (name,), getattr(form, name), f"1 to {_DAY_S}")
        self._ask(form.report_grace_s < form.report_every_s, ("report_grace_s",), form.report_grace_s,
                  f"less than report_every_s ({form.report_every_s})")  # fmt: skip
        for name in ("remind_max", "repeat_max"):
            self._ask(0 <= getattr(form, name) <= 100, (name,), getattr(form, name), "0 to 100")
        for number, each in enumerate(form.raises):
            self._one_of(("raises", number, "severity"), each.severity, SEVERITIES)
            self._place(("raises", number, "place"), each.place, form.places)
        self._units(form)
        self._duty(form)

    def _units(self, form: _Form) -> None:
        codes = [unit.code for unit in form.units]
        tops = [unit.code for unit in form.units if unit.kind == KINDS[0]]
        self._ask(len(tops) == 1, ("units",), f"{len(tops)} of kind headquarters", "one")
        known = {unit.code: unit for unit in form.units}
        for number, unit in enumerate(form.units):
            at = ("units", number)
            free = _ID.fullmatch(unit.code) and codes.count(unit.code) == 1
            self._ask(free, (*at, "code"), unit.code, "up to 40 of a-z, 0-9 and -, of no other unit")
            self._one_of((*at, "kind"), unit.kind, KINDS)
            for place in unit.places:
                self._place((*at, "places"), place, form.places)
            if unit.kind in KINDS:
                self._parent(at, unit, known)

    def _parent(self, at: _Field, unit: _UnitForm, known: dict[str, _UnitForm]) -> None:
        """A unit's parent is of the kind above; its places are within its parent's."""
        level = KINDS.index(unit.kind)
        if level == 0:
            self._ask(not unit.parent, (*at, "parent"), unit.parent, "none: the headquarters is the top")
            return
        allowed = [each.code for each in known.values() if each.kind == KINDS[level - 1]]
        self._one_of((*at, "parent"), unit.parent, allowed)
        parent = known.get(unit.parent)
        for place in unit.places if parent and parent.places else ():
            self._place((*at, "places"), place, parent.places if parent else ())

    def _duty(self, form: _Form) -> None:
        codes = [unit.code for unit in form.units]
        for number, turn in enumerate(form.duty):
            at = ("duty", number)
            self._one_of((*at, "unit"), turn.unit, codes)
            self._ask(turn.people, (*at, "people"), [], "one name or more")
            from_ms, until_ms = _ms(turn.from_), _ms(turn.until)
            self._ask(from_ms < until_ms, (*at, "until"), str(turn.until), "a moment after from")
        top = next((unit.code for unit in form.units if unit.kind == KINDS[0]), "")
        gap_ms = _gap(form, top)
        words = "somebody of the headquarters on duty all the time"
        self._ask(gap_ms is None, ("duty",), f"nobody at {local(gap_ms or 0):%m-%d %H:%M}", words)

    def _place(self, at: _Field, place: str, places: tuple[str, ...]) -> None:
        self._ask(not place or within(place, places), at, place, f"{', '.join(places)} and below")


def _gap(form: _Form, unit: str) -> int | None:
    """The first moment of the event at which nobody of the unit is on duty; None: there is none."""
    at_ms = form.from_ms
    turns = sorted((_ms(turn.from_), _ms(turn.until)) for turn in form.duty if turn.unit == unit)
    for from_ms, until_ms in turns:
        if from_ms > at_ms:
            break
        at_ms = max(at_ms, until_ms)
    return at_ms if at_ms < form.until_ms else None


def _ms(moment: datetime) -> int:
    """A moment without a zone is of the district's clocks."""
    return int((moment if moment.tzinfo else moment.replace(tzinfo=ZONE)).timestamp() * 1000)


def _event(form: _Form) -> MajorEvent:
    return MajorEvent(
        id=form.id,
        name=form.name.strip(),
        places=form.places,
        from_ms=form.from_ms,
        until_ms=form.until_ms,
        units=tuple(_unit(each, form) for each in form.units),
        duty=tuple(_turn(each) for each in form.duty),
        raises=tuple(_raise(each) for each in form.raises),
        holds=form.holds,
        rhythm=Rhythm(
            every_s=form.report_every_s,
            grace_s=form.report_grace_s,
            remind_s=form.remind_s,
            remind_max=form.remind_max,
        ),
        escalate_s=form.escalate_s,
        repeat_max=form.repeat_max,
    )


def _unit(form: _UnitForm, event: _Form) -> Unit:
    """The headquarters has the whole area and owes no reports unless it says so."""
    kind: Any = form.kind
    top = kind == KINDS[0]
    return Unit(
        code=form.code,
        kind=kind,
        name=form.name,
        parent=form.parent,
        places=form.places or (event.places if top else ()),
        people=form.people,
        reports=not top if form.reports is None else form.reports,
    )


def _turn(form: _DutyForm) -> DutyTurn:
    return DutyTurn(unit=form.unit, people=form.people, from_ms=_ms(form.from_), until_ms=_ms(form.until))


def _raise(form: _RaiseForm) -> Raise:
    severity: Any = form.severity
    return Raise(rule=form.rule, severity=severity, place=form.place)
