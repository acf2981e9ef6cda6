"""The text of a workflow file to a workflow, or a refusal of everything that is wrong with it.

Each problem names file, line, field, what was received and what is allowed, one a line.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from operations.cases.codes import HOLDER_FIELDS, KINDS, ROLES, STATES
from operations.cases.limits import Limit, parse_limit
from operations.cases.workflow import BEFORE, EFFECTS, NEEDS, Clock, Move, Workflow
from schemas.errors import SettingsError
from schemas.lines import Lines

__all__ = ["WorkflowRefused", "load_workflow"]

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_REACHES: Final = ("community", "street", "district")
_TOP: Final = ("name", "title", "title_en", "initial", "starts", "reporters", "reach", "holders", "clocks",
               "labels", "moves")  # fmt: skip
_CLOCK: Final = ("label", "limit", "of_standard", "overdue")
_CLOCKS_OF: Final = ("starts", "stops", "pauses", "resumes")
_MOVE: Final = ("verb", "label", "label_en", "kind", "from", "to", "roles", "holders", "needs", "effects",
                "returned_to", "counts", *_CLOCKS_OF)  # fmt: skip


class WorkflowRefused(SettingsError):  # noqa: N818 - names what was done
    """The file is wrong; `problems` are all there are: (line, words)."""

    def __init__(self, source: str, problems: Iterable[tuple[int, str]]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(f"{source}:{line}: {words}" for line, words in self.problems))


def load_workflow(text: str, source: str = "workflow.toml") -> Workflow:
    """Read and check one file; WorkflowRefused lists what to change."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{source}: {error}") from error
    checking = _Checking(Lines.of(text))
    workflow = checking.workflow(document)
    if checking.problems:
        raise WorkflowRefused(source, checking.problems)
    return workflow


class _Checking:
    """The problems of one file as they are found; a wrong value is replaced, so that all are found."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self.problems: list[tuple[int, str]] = []

    def workflow(self, document: Mapping[str, Any]) -> Workflow:
        self._known((), document, _TOP)
        clocks = self._clocks(document)
        holders = self._holders(("holders",), document.get("holders", {}))
        tables = document.get("moves")
        if not isinstance(tables, list) or not tables or not all(isinstance(t, dict) for t in tables):
            self._problem(("moves",), tables, "one or more [[moves]]")
            tables = []
        moves = [self._move(n, table, holders, clocks) for n, table in enumerate(tables)]
        self._together(moves, clocks)
        return Workflow(
            name=self._named((), document, "name"),
            title=self._text((), document, "title"),
            title_en=self._text((), document, "title_en"),
            initial=self._one_of((), document, "initial", tuple(STATES)),
            starts=self._some_of((), document, "starts", tuple(clocks)),
            reporters=self._some_of((), document, "reporters", ROLES),
            reach=self._one_of((), document, "reach", _REACHES) if "reach" in document else "",
            clocks=clocks,
            moves={move.verb: move for move in moves},
            labels=self._labels(document.get("labels", {})),
        )

    def _problem(self, path: tuple[str | int, ...], received: Any, allowed: str) -> None:
        named = ".".join(f"[{part}]" if isinstance(part, int) else part for part in path).replace(".[", "[")
        came = "nothing" if received is None else repr(received)
        self.problems.append((self._lines.line(*path), f"{named}: received {came}, allowed: {allowed}"))

    def _known(self, path: tuple[str | int, ...], table: Mapping[str, Any], names: tuple[str, ...]) -> None:
        for name in table:
            if name not in names:
                self._problem((*path, name), table[name], f"the fields {', '.join(names)}")

    def _clocks(self, document: Mapping[str, Any]) -> dict[str, Clock]:
        tables = document.get("clocks", {})
        if not isinstance(tables, dict) or not all(isinstance(each, dict) for each in tables.values()):
            self._problem(("clocks",), tables, "tables such as [clocks.handling]")
            return {}
        return {name: self._clock(name, table) for name, table in tables.items()}

    def _clock(self, name: str, table: Mapping[str, Any]) -> Clock:
        path = ("clocks", name)
        self._known(path, table, _CLOCK)
        of_standard = table.get("of_standard", False)
        if not isinstance(of_standard, bool):
            self._problem((*path, "of_standard"), of_standard, "true, false")
        if "limit" not in table and of_standard is not True:
            self._problem((*path, "limit"), None, "a limit such as '4 工作时', or of_standard = true")
        overdue = table.get("overdue", "")
        label = self._text(path, table, "label")
        return Clock(name, label, self._limit(path, table), of_standard=bool(of_standard), overdue=overdue)

    def _limit(self, path: tuple[str, ...], table: Mapping[str, Any]) -> Limit | None:
        if "limit" not in table:
            return None
        try:
            return parse_limit(str(table["limit"]))
        except SettingsError as error:
            line = self._lines.line(*path, "limit")
            self.problems.append((line, f"{'.'.join(path)}.{error}"))
            return None

    def _move(
        self, number: int, table: Mapping[str, Any], holders: Mapping[Any, Any], clocks: Mapping[str, Clock]
    ) -> Move:
        path = ("moves", number)
        self._known(path, table, _MOVE)
        states = self._some_of(path, table, "from", tuple(STATES), least=1)
        to = self._one_of(path, table, "to", (*STATES, BEFORE)) if "to" in table else ""
        kind = self._one_of(path, table, "kind", KINDS)
        if kind != "side" and not to:
            self._problem((*path, "to"), None, "a state; only a side act may leave the case where it is")
        roles = self._some_of(path, table, "roles", ROLES, least=1)
        own = self._holders((*path, "holders"), table["holders"]) if "holders" in table else holders
        returned = self._one_of(path, table, "returned_to", ROLES) if "returned_to" in table else None
        if (to == "returned") != (returned is not None):
            words = "a role together with to = 'returned', and only with it"
            self._problem((*path, "returned_to"), returned, words)
        return Move(
            verb=self._named(path, table, "verb"),
            label=self._text(path, table, "label"),
            label_en=self._text(path, table, "label_en"),
            kind=kind,
            from_=states,
            to=to,
            roles=roles,
            holders={role: own[role] for role in roles if role in own},
            needs=self._some_of(path, table, "needs", NEEDS),
            effects=self._some_of(path, table, "effects", EFFECTS),
            returned_to=returned,
            counts=self._some_of(path, table, "counts", None),
            **{name: self._some_of(path, table, name, tuple(clocks)) for name in _CLOCKS_OF},
        )

    def _together(self, moves: list[Move], clocks: Mapping[str, Clock]) -> None:
        verbs: set[str] = set()
        for number, move in enumerate(moves):
            if move.verb in verbs:
                self._problem(("moves", number, "verb"), move.verb, "a verb that no other move has")
            verbs.add(move.verb)
            if move.kind == "return" and "why" not in move.needs:
                words = "'why' among them: a return says its reason"
                self._problem(("moves", number, "needs"), list(move.needs), words)
            if move.to == "closed" and "alerts_over" not in move.needs:
                words = "'alerts_over' among them: no case closes under an active alert"
                self._problem(("moves", number, "needs"), list(move.needs), words)
        for name, clock in clocks.items():
            if clock.overdue and not any(m.verb == clock.overdue and "system" in m.roles for m in moves):
                known = [m.verb for m in moves if "system" in m.roles]
                words = ", ".join(known) or "none, as no move has the role system"
                self._problem(("clocks", name, "overdue"), clock.overdue, words)

    def _holders(self, path: tuple[str | int, ...], table: Any) -> dict[Any, Any]:
        if not isinstance(table, dict):
            self._problem(path, table, "a table of roles and fields, such as department = 'department'")
            return {}
        for role, name in table.items():
            if role not in ROLES:
                self._problem((*path, role), role, f"the roles {', '.join(ROLES)}")
            if name not in HOLDER_FIELDS:
                self._problem((*path, role), name, ", ".join(HOLDER_FIELDS))
        return dict(table)

    def _labels(self, table: Any) -> dict[Any, str]:
        for state, label in table.items() if isinstance(table, dict) else ():
            if state not in STATES:
                self._problem(("labels", state), state, ", ".join(STATES))
            if not isinstance(label, str) or not label.strip():
                self._problem(("labels", state), label, "a text")
        return dict(table)

    def _text(self, path: tuple[str | int, ...], table: Mapping[str, Any], name: str) -> str:
        return self._checked(path, table, name, "a text of up to 60 characters", lambda v: 0 < len(v) <= 60)

    def _named(self, path: tuple[str | int, ...], table: Mapping[str, Any], name: str) -> str:
        words = "a name of up to 40 of a-z, 0-9, _ and -, a letter first"
        return self._checked(path, table, name, words, lambda v: _NAME.fullmatch(v) is not None)

    def _checked(
        self, path: tuple[str | int, ...], table: Mapping[str, Any], name: str, allowed: str,
        good: Callable[[str], bool],
    ) -> str:  # fmt: skip
        value = table.get(name)
        if not isinstance(value, str) or not good(value.strip()):
            self._problem((*path, name), value, allowed)
            return ""
        return value.strip()

    def _one_of(
        self, path: tuple[str | int, ...], table: Mapping[str, Any], name: str, allowed: tuple[str, ...]
    ) -> Any:
        value = table.get(name)
        if value not in allowed:
            self._problem((*path, name), value, ", ".join(allowed))
            return allowed[0]
        return value

    def _some_of(
        self,
        path: tuple[str | int, ...],
        table: Mapping[str, Any],
        name: str,
        allowed: tuple[str, ...] | None,
        least: int = 0,
    ) -> tuple[Any, ...]:
        """A list of known words, each once; of any names where `allowed` is None."""
        values = table.get(name, [])
        if not isinstance(values, list) or len(values) < least or not all(isinstance(v, str) for v in values):
            words = "any names" if allowed is None else ", ".join(allowed)
            self._problem((*path, name), table.get(name), f"a list of {least} or more of: {words}")
            return ()
        wrong = [v for v in values if (allowed is not None and v not in allowed) or values.count(v) > 1]
        for value in dict.fromkeys(wrong):
            words = "names, each once" if allowed is None else f"{', '.join(allowed)}, each once"
            self._problem((*path, name), value, words)
        return tuple(values)
