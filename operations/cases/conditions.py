"""What a move needs, one function a need: "" if it is so, else the words of the refusal. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Protocol

from operations.alerts.actions import OUTCOMES
from operations.cases.clocks import DAY_MS, WorkingTime
from operations.cases.model import Case, Command, Standard
from operations.cases.workflow import Need, Workflow
from schemas.alerts import Alert
from schemas.calendar import local
from schemas.errors import received_allowed
from schemas.places.model import DEFAULT_SCHEME, Level

__all__ = ["CONDITIONS", "OF_CASE", "REACHES", "SUSPENSION_DAYS_MOST", "Called", "Facts", "within_reach"]

SUSPENSION_DAYS_MOST: Final = 366
"""挂账 is at most a year."""
REACHES: Final[dict[str, Level]] = {"community": "community", "street": "street", "district": "district"}
"""How far around a case members are called, from near to far."""


class Called(Protocol):
    """A case or a line of a list, as far as it says who may claim it."""

    @property
    def place(self) -> str: ...  # noqa: D102 - as of a case
    @property
    def reach(self) -> str: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Facts:
    """What a decision looks at besides the case and the command; `now_ms` is wall time.

    `standard`: the row that the command names, None if the city has none of that code. `alerts`: the linked
    ones as the desk knows them now.
    """

    workflow: Workflow
    now_ms: int
    time: WorkingTime = field(default_factory=WorkingTime)
    standard: Standard | None = None
    alerts: tuple[Alert, ...] = ()


def within_reach(case: Called, places: Iterable[str]) -> bool:
    """Whether somebody registered in those places is near enough to claim the case."""
    if case.reach in {"", "district"}:
        return True
    near = case.place[: DEFAULT_SCHEME.length(REACHES[case.reach])]
    return any(place.startswith(near) for place in places)


def _why(_case: Case, command: Command, _facts: Facts) -> str:
    return "" if command.why.strip() else "原因 why: received '', allowed: the reason in words"


def _standard(_case: Case, command: Command, facts: Facts) -> str:
    if facts.standard is not None:
        return ""
    return f"立案标准 standard: received {command.standard!r}, allowed: a code of the city's standards"


def _department(_case: Case, command: Command, _facts: Facts) -> str:
    return "" if command.department.strip() else "部门 department: received '', allowed: a department's name"


def _person(_case: Case, command: Command, _facts: Facts) -> str:
    return "" if command.person.strip() else "人员 person: received '', allowed: a person's name"


def _evidence(_case: Case, command: Command, _facts: Facts) -> str:
    return "" if command.evidence else "证据 evidence: received none, allowed: one or more, such as a picture"


def _criteria(case: Case, command: Command, _facts: Facts) -> str:
    wanted = case.standard.closing if case.standard else ()
    missing = [each for each in wanted if each not in command.criteria]
    if not missing:
        return ""
    return f"结案标准未全部满足 criteria: received {list(command.criteria)}, missing: {'; '.join(missing)}"


def _until(case: Case, command: Command, facts: Facts) -> str:
    if case.count("suspensions"):
        return "已挂账过一次 suspended once before: a case is suspended once"
    last_ms = facts.now_ms + SUSPENSION_DAYS_MOST * DAY_MS
    if facts.now_ms < command.until_ms <= last_ms:
        return ""
    received = f"{local(command.until_ms):%Y-%m-%d %H:%M}" if command.until_ms else "nothing"
    last = local(last_ms) - timedelta(minutes=1)
    return f"挂账期限 until: received {received}, allowed: a moment from now to {last:%Y-%m-%d}"


def _result(_case: Case, command: Command, _facts: Facts) -> str:
    return "" if command.result else "核查结果 result: received nothing, allowed: passed, failed"


def _satisfied(_case: Case, command: Command, _facts: Facts) -> str:
    return "" if command.satisfied is not None else "回访结果 satisfied: received nothing, allowed: yes, no"


def _no_person(case: Case, _command: Command, _facts: Facts) -> str:
    return f"已派 {case.person}，须先撤回 withdraw the person first" if case.person else ""


def _department_known(case: Case, _command: Command, _facts: Facts) -> str:
    return "" if case.department else "没有处置部门 no department had it: return it to the receiver instead"


def _closer(case: Case, _command: Command, _facts: Facts) -> str:
    return "" if case.closer else "未指定结案人 nobody is named to close it: send_to_close first"


def _checked(case: Case, _command: Command, _facts: Facts) -> str:
    if case.standard is None or not case.standard.post_check or case.post_check == "passed":
        return ""
    said = "未通过 failed" if case.post_check == "failed" else "尚未核查 none was made"
    return f"该类案件须处置后核查通过 this standard needs a post_check that passed: {said}"


def _alerts_over(_case: Case, _command: Command, facts: Facts) -> str:
    active = [alert for alert in facts.alerts if alert.active]
    if not active:
        return ""
    named = "; ".join(f"{alert.title} ({alert.id[:12]})" for alert in active[:3])
    return f"关联告警仍在活动 a linked alert is still active: {named}"


def _outcome(case: Case, command: Command, _facts: Facts) -> str:
    if not case.alerts or command.outcome:
        return ""
    return received_allowed("告警结论 outcome", "", OUTCOMES)


def _unclaimed(case: Case, _command: Command, _facts: Facts) -> str:
    return f"已被领取 already claimed by {case.person}" if case.person else ""


def _reach(case: Case, command: Command, _facts: Facts) -> str:
    if within_reach(case, command.actor.places):
        return ""
    return (
        f"范围 reach: received a member of {', '.join(command.actor.places) or 'no place'}, allowed for now: "
        f"those registered in the {case.reach} of {case.place}"
    )


OF_CASE: Final[frozenset[Need]] = frozenset(
    {"no_person", "department_known", "closer", "checked", "alerts_over", "unclaimed", "reach"}
)
"""Needs that nothing given with the command can meet."""
CONDITIONS: Final[dict[Need, Callable[[Case, Command, Facts], str]]] = {
    "why": _why,
    "standard": _standard,
    "department": _department,
    "person": _person,
    "evidence": _evidence,
    "criteria": _criteria,
    "until": _until,
    "result": _result,
    "satisfied": _satisfied,
    "no_person": _no_person,
    "department_known": _department_known,
    "closer": _closer,
    "checked": _checked,
    "alerts_over": _alerts_over,
    "outcome": _outcome,
    "unclaimed": _unclaimed,
    "reach": _reach,
}
