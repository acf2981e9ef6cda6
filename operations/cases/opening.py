"""How a case begins: from an alert, or from what somebody reports; and what joins one that is there. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from typing import Final

import msgspec
from msgspec.structs import replace

from operations.cases.clocks import HOUR_MS
from operations.cases.codes import STATES, Role, Source
from operations.cases.config import OTHER, CaseConfig
from operations.cases.decide import begin_run
from operations.cases.model import Actor, Case, Entry, Evidence
from operations.cases.refusals import MoveRefused
from schemas.alerts import Alert
from schemas.errors import received_allowed

__all__ = ["Report", "attach", "distance_m", "duplicate_of", "open_case", "report_of_alert", "workflow_of"]

_EARTH_M: Final = 6_371_000
_ROLE_OF_SOURCE: Final[dict[Source, Role]] = {
    "alert": "system",
    "desk": "receiver",
    "collector": "collector",
    "resident": "resident",
    "party_member": "party_member",
    "street": "street",
}


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What came in. `key`: its identity. `workflow` "": the category's. `longitude`, `latitude`: WGS-84.

    `reporter` is who told, by name or pseudonym; of an alert nobody.
    """

    key: str
    source: Source
    category: str
    place: str
    title: str
    description: str = ""
    workflow: str = ""
    reporter: str = ""
    longitude: float | None = None
    latitude: float | None = None
    evidence: tuple[Evidence, ...] = ()
    alert_id: str = ""
    simulated: bool = False


def report_of_alert(alert: Alert, config: CaseConfig, workflow: str = "") -> Report:
    """What an alert says, as a report: its explanation is the evidence."""
    return Report(
        key=f"alert/{alert.id}",
        source="alert",
        category=config.category_of(alert).code,
        place=alert.place,
        title=alert.title,
        description=alert.explanation,
        workflow=workflow,
        evidence=(Evidence(what=f"告警 alert {alert.rule}", reference=alert.id, at_ms=alert.onset_ms),),
        alert_id=alert.id,
        simulated=alert.simulated,
    )


def workflow_of(report: Report, config: CaseConfig, classes: Collection[str] = ()) -> str:
    """The workflow's name: the one asked for, that of the category, or `other`'s for a city's own class.

    `classes`: those of the city's standards, which may be reported too.
    """
    if report.category not in config.categories and report.category not in classes:
        own = ["a class (小类) of the city's standards"] if classes else []
        raise MoveRefused(received_allowed("类别 category", report.category, [*config.categories, *own]))
    return report.workflow or config.categories.get(report.category, config.categories[OTHER]).workflow


def open_case(
    report: Report, case_id: str, actor: Actor, config: CaseConfig, now_ms: int, *, name: str = ""
) -> tuple[Case, Entry]:
    """A new case in the first state of its workflow, with that one's clocks; MoveRefused for what is none.

    `name`: the workflow's, where `workflow_of` said it already.
    """
    name = name or workflow_of(report, config)
    if name not in config.workflows:
        raise MoveRefused(received_allowed("流程 workflow", name, config.workflows))
    workflow, role = config.workflows[name], _ROLE_OF_SOURCE[report.source]
    roles = {role, *actor.roles} & set(workflow.reporters)
    if not roles:
        raise MoveRefused(received_allowed(f"{workflow.title} 上报人 reporter", role, workflow.reporters))
    case = Case(
        id=case_id, key=report.key, workflow=name, state=workflow.initial, version=1, title=report.title,
        category=report.category, place=report.place, source=report.source, reported_ms=now_ms,
        description=report.description, longitude=report.longitude, latitude=report.latitude,
        reporter=report.reporter, citizens=_people(report), simulated=report.simulated,
        alerts=(report.alert_id,) if report.alert_id else (), evidence=report.evidence, reach=workflow.reach,
    )  # fmt: skip
    runs = (begin_run(workflow.clocks[clock], case, now_ms) for clock in workflow.starts)
    case = replace(case, runs=tuple(run for run in runs if run is not None))
    return case, _entry(case, "open", "", report, actor, now_ms)


def attach(case: Case, report: Report, actor: Actor, now_ms: int) -> tuple[Case, Entry]:
    """The case with one more report: its alert, its evidence, and one more citizen where a person told."""
    alerts = (*case.alerts, report.alert_id) if report.alert_id else case.alerts
    changed = replace(
        case,
        version=case.version + 1,
        alerts=tuple(dict.fromkeys(alerts)),
        evidence=(*case.evidence, *report.evidence),
        citizens=case.citizens + _people(report),
        longitude=report.longitude if case.longitude is None else case.longitude,
        latitude=report.latitude if case.latitude is None else case.latitude,
        simulated=case.simulated and report.simulated,
    )
    return changed, _entry(changed, "attach", case.state, report, actor, now_ms)


def duplicate_of(report: Report, cases: Iterable[Case], config: CaseConfig, now_ms: int) -> Case | None:
    """The open case that the report is about too: same category, same grid, near in place and time.

    Where one of the two has no coordinates, the grid is near enough. Of several the nearest, then the newest.
    """
    rule = config.categories.get(report.category, config.categories[OTHER])
    radius_m = rule.duplicate_radius_m if rule.duplicate_radius_m is not None else config.duplicate_radius_m
    within_h = rule.duplicate_within_h if rule.duplicate_within_h is not None else config.duplicate_within_h
    found = [
        (metres, -case.reported_ms, case.id, case)
        for case in cases
        if STATES[case.state].open
        and (case.category, case.place) == (report.category, report.place)
        and now_ms - case.reported_ms <= within_h * HOUR_MS
        and (metres := distance_m(report, case)) <= radius_m
    ]
    return min(found, key=lambda each: each[:3])[3] if found else None


def distance_m(a: Report | Case, b: Report | Case) -> float:
    """Metres between two points on the sphere; 0 where one of them is not known."""
    if a.longitude is None or a.latitude is None or b.longitude is None or b.latitude is None:
        return 0.0
    lat_a, lat_b = math.radians(a.latitude), math.radians(b.latitude)
    half_lat, half_lon = (lat_b - lat_a) / 2, math.radians(b.longitude - a.longitude) / 2
    chord = math.sin(half_lat) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin(half_lon) ** 2
    return 2 * _EARTH_M * math.asin(math.sqrt(chord))


def _people(report: Report) -> int:
    return 0 if report.source == "alert" else 1


def _entry(case: Case, verb: str, before: str, report: Report, actor: Actor, now_ms: int) -> Entry:
    of_source = _ROLE_OF_SOURCE[report.source]
    given = {
        "source": report.source,
        "alert": report.alert_id,
        "reporter": report.reporter if report.reporter != actor.name else "",
        "description": report.description[:500],
    }
    return Entry(
        case_id=case.id,
        version=case.version,
        verb=verb,
        from_state=before,
        to_state=case.state,
        by=actor.name,
        role=of_source if of_source in actor.roles or not actor.roles else actor.roles[0],
        at_ms=now_ms,
        why=report.title,
        terminal=actor.terminal,
        key=report.key,
        given={name: value for name, value in given.items() if value},
    )
