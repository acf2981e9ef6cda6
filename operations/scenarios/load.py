"""The scenarios file (TOML) to values, or a refusal of all that is wrong, by file, line and field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from operations.forms import Checking, filled
from operations.scenarios.model import Branch, Member, PatrolPoint, Point, Round, Scenarios, Station, Walking
from schemas.errors import SettingsError

__all__ = ["load_scenarios", "parse_scenarios"]

_DAY_S = 86_400


class _WalkingForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    minutes: float = 15.0
    speed_m_s: float = 1.2
    detour: float = 1.3


class _StationForm(msgspec.Struct, forbid_unknown_fields=True):
    code: str
    name: str
    at: Point


class _MemberForm(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    work_unit: str
    community: str


class _BranchForm(msgspec.Struct, forbid_unknown_fields=True):
    grid: str
    name: str
    secretary: str


class _PointForm(msgspec.Struct, forbid_unknown_fields=True):
    code: str
    name: str
    at: Point
    within_m: float = 50.0


class _RoundForm(msgspec.Struct, forbid_unknown_fields=True):
    code: str
    name: str
    points: tuple[str, ...]
    every_s: int


class _Form(msgspec.Struct, forbid_unknown_fields=True):
    walking: _WalkingForm = _WalkingForm()
    stations: tuple[_StationForm, ...] = ()
    members: tuple[_MemberForm, ...] = ()
    branches: tuple[_BranchForm, ...] = ()
    points: tuple[_PointForm, ...] = ()
    rounds: tuple[_RoundForm, ...] = ()
    photo_max_bytes: int = 8_000_000


def load_scenarios(path: Path | None) -> Scenarios:
    """Read and check the file; none is a district that has set up nothing."""
    if path is None:
        return Scenarios()
    try:
        return parse_scenarios(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"scenarios_file {path}: {error}") from error


def parse_scenarios(text: str, source: str = "scenarios.toml") -> Scenarios:
    """Values of what the text says; FormRefused lists what to change."""
    form, checking = filled(text, source, _Form)
    _walking(form.walking, checking)
    named: dict[str, Sequence[_StationForm | _PointForm]] = {"stations": form.stations, "points": form.points}
    for name, places in named.items():
        _codes(name, [each.code for each in places], checking)
        for number, each in enumerate(places):
            _point((name, number, "at"), each.at, checking)
    _codes("branches", [each.grid for each in form.branches], checking)
    _codes("rounds", [each.code for each in form.rounds], checking)
    _rounds(form, checking)
    for number, member in enumerate(form.members):
        for field in ("name", "work_unit", "community"):
            given = getattr(member, field)
            checking.ask(given.strip(), ("members", number, field), given, "a text")
    checking.ask(form.photo_max_bytes > 0, ("photo_max_bytes",), form.photo_max_bytes, "more than 0")
    checking.refuse()
    return _scenarios(form)


def _walking(form: _WalkingForm, checking: Checking) -> None:
    limits = {"minutes": (1, 120), "speed_m_s": (0.3, 3), "detour": (1, 3)}
    for name, (least, most) in limits.items():
        given = getattr(form, name)
        checking.ask(least <= given <= most, ("walking", name), given, f"{least} to {most}")


def _codes(name: str, codes: Sequence[str], checking: Checking) -> None:
    counted = Counter(codes)
    for number, code in enumerate(codes):
        checking.ask(code and counted[code] == 1, (name, number), code, "a code of no other")


def _point(at: tuple[str | int, ...], point: Point, checking: Checking) -> None:
    longitude, latitude = point
    good = 73 <= longitude <= 136 and 3 <= latitude <= 54
    checking.ask(good, at, list(point), "longitude 73 to 136, latitude 3 to 54 (WGS-84, in this order)")


def _rounds(form: _Form, checking: Checking) -> None:
    known = [point.code for point in form.points]
    for number, each in enumerate(form.rounds):
        at = ("rounds", number)
        checking.ask(60 <= each.every_s <= _DAY_S, (*at, "every_s"), each.every_s, f"60 to {_DAY_S}")
        checking.ask(each.points, (*at, "points"), [], "one point or more")
        for code in each.points:
            checking.one_of((*at, "points"), code, known)


def _scenarios(form: _Form) -> Scenarios:
    return Scenarios(
        walking=Walking(**msgspec.structs.asdict(form.walking)),
        stations={s.code: Station(code=s.code, name=s.name, point=s.at) for s in form.stations},
        branches={b.grid: Branch(**msgspec.structs.asdict(b)) for b in form.branches},
        members=tuple(Member(**msgspec.structs.asdict(each)) for each in form.members),
        points={each.code: _patrol_point(each) for each in form.points},
        rounds=tuple(Round(**msgspec.structs.asdict(each)) for each in form.rounds),
        photo_max_bytes=form.photo_max_bytes,
    )


def _patrol_point(form: _PointForm) -> PatrolPoint:
    return PatrolPoint(code=form.code, name=form.name, point=form.at, within_m=form.within_m)
