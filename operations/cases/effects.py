"""What moves do to a case besides its state and clocks, one function an effect. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from operations.cases import exceptions
from operations.cases.codes import Role
from operations.cases.conditions import REACHES, Facts
from operations.cases.model import Case, Command
from operations.cases.refusals import MoveRefused
from operations.cases.workflow import Effect

__all__ = ["APPLY", "Apply"]

Apply = Callable[[Case, Command, Role, Facts], Case]


def _take_standard(case: Case, _command: Command, _role: Role, facts: Facts) -> Case:
    if facts.standard is None:
        return case
    filed_ms = case.filed_ms or facts.now_ms
    return replace(case, standard=facts.standard, filed_ms=filed_ms)


def _claim_receiver(case: Case, command: Command, _role: Role, _facts: Facts) -> Case:
    return replace(case, receiver=case.receiver or command.actor.name)


def _flag(case: Case, _command: Command, _role: Role, _facts: Facts) -> Case:
    return replace(case, flags=tuple(dict.fromkeys((*case.flags, "key"))))


def _arrive(case: Case, _command: Command, _role: Role, facts: Facts) -> Case:
    return replace(case, arrived_ms=case.arrived_ms or facts.now_ms)


def _widen_reach(case: Case, _command: Command, _role: Role, _facts: Facts) -> Case:
    reaches = list(REACHES)
    if case.reach not in reaches[:-1]:
        raise MoveRefused("已呼叫全区 the whole district is called already")
    return replace(case, reach=reaches[reaches.index(case.reach) + 1])


def _from_command(name: str, given: str) -> Apply:
    """The field `name` of the case from what the command gave."""
    return lambda case, command, _role, _facts: replace(case, **{name: getattr(command, given)})


def _set(**values: Any) -> Apply:
    return lambda case, _command, _role, _facts: replace(case, **values)


APPLY: Final[dict[Effect, Apply]] = {
    "take_standard": _take_standard,
    "take_department": _from_command("department", "department"),
    "take_person": _from_command("person", "person"),
    "take_closer": _from_command("closer", "person"),
    "take_checker": _from_command("checker", "person"),
    "claim_receiver": _claim_receiver,
    "claim_person": lambda case, command, _role, _facts: replace(case, person=command.actor.name),
    "clear_person": _set(person=""),
    "clear_closer": _set(closer=""),
    "clear_checks": _set(post_check=None, checker="", criteria=()),
    "keep_pre_check": _from_command("pre_check", "result"),
    "keep_post_check": _from_command("post_check", "result"),
    "keep_criteria": _from_command("criteria", "criteria"),
    "keep_satisfied": _from_command("satisfied", "satisfied"),
    "flag": _flag,
    "arrive": _arrive,
    "widen_reach": _widen_reach,
    "suspend": exceptions.suspend,
    "resume": exceptions.resume,
    "ask_extension": exceptions.ask_extension,
    "pass_extension": exceptions.pass_extension,
    "grant_extension": exceptions.grant_extension,
    "refuse_extension": exceptions.refuse_extension,
    "appeal": exceptions.appeal,
    "grant_appeal": exceptions.grant_appeal,
    "refuse_appeal": exceptions.refuse_appeal,
}
