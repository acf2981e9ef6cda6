"""The case desk as commands: each one decision (`operations/cases/`, pure) and one transaction.

What a death between any two lines leaves: everything a command does (the case, the entries of its flow log,
the alert's link, the number of a new case) is one transaction, so it is whole or it never was; who said it
says it again under its key, and what was done already answers the same. Commands are taken one at a time:
of a hundred who claim at once the first gets it, the others are told by whom. The flow log's numbers are in
the order in which they came to count, so a follower misses none.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import sqlalchemy as sql

from operations.cases.conclusions import conclusions
from operations.cases.conditions import Facts
from operations.cases.decide import decide
from operations.cases.evaluate import Comparison, Cut, Figure, compare, evaluate
from operations.cases.model import Actor, Case, Command, Entry, Standard
from operations.cases.opening import Report, attach, duplicate_of, open_case, report_of_alert, workflow_of
from operations.cases.periods import Period
from operations.cases.refusals import MoveRefused
from operations.cases.reminders import clocked, due_steps, noted
from operations.cases.together import How, by_place, open_together
from operations.cases.view import CaseView, case_view
from operations.cases.workflow import Workflow
from operations.people.audit import Said
from operations.people.roles import Person
from operations.store.actions import ActionRows
from operations.store.cases import CaseRows
from operations.store.standards import StandardRows
from schemas.alerts import Alert
from schemas.calendar import local
from schemas.errors import SettingsError

__all__ = ["CaseBook", "Changed", "Opened"]

_INCIDENTS = 50
"""Cases opened or joined by rule in one transaction, some ten milliseconds of the disk's."""


class Opened(msgspec.Struct, frozen=True):
    """What became of a report: a new case, or the one it was `attached` to, or was part of already."""

    case: Case
    how: How


class Changed(msgspec.Struct, frozen=True):
    """A case that the system changed by itself, and the verbs it said."""

    case: Case
    verbs: tuple[str, ...]


class CaseBook(StandardRows, CaseRows, ActionRows):
    """The desk's cases in one database. May be opened by several processes."""

    def open(self, report: Report, actor: Actor, now_ms: int, said: Said | None = None) -> Opened:
        """A new case, or the one that the report is about too; MoveRefused for what is none.

        The same key again, or an alert that has its case, changes nothing. `said` goes into the record with
        it, about the case.
        """
        with self._writing(urgent=True) as connection:
            self._turn(connection)
            opened = self._opened(connection, report, actor, now_ms)
            if said is not None and opened.how != "known":
                self._record(connection, msgspec.structs.replace(said, of=opened.case.id))
            return opened

    def open_for_alert(
        self, alert_id: str, actor: Actor, now_ms: int, workflow: str = "", said: Said | None = None
    ) -> Opened:
        """The case of an alert that the desk knows, in one action; it keeps the alert's id and evidence."""
        found = [tracked.alert for tracked in self.find(alert_id)]
        if len(found) != 1:
            raise SettingsError(
                f"alert: received {alert_id!r}, which {len(found)} alerts begin with, allowed: one"
            )
        return self.open(report_of_alert(found[0], self.config, workflow), actor, now_ms, said)

    def open_by_rule(self, alerts: Iterable[Alert], actor: Actor, now_ms: int) -> list[Opened]:
        """Cases of those alerts that are active or wait to be reset, where the category opens one (`auto`).

        So a fire that went out while no desk ran has its case; what only was over meanwhile has none.
        Some incidents in a transaction, each written once: a storm is as many alerts a second as one disk
        takes in batches, and who writes meanwhile (the reader of alerts, people) waits for a few only.
        """
        stands = [alert for alert in alerts if (alert.active or alert.latched) and not alert.parent]
        wanted = [alert for alert in stands if self.config.category_of(alert).auto]
        reports = [report_of_alert(alert, self.config) for alert in wanted]
        opened: dict[str, Opened] = {}
        for some in by_place(reports, _INCIDENTS):
            with self._writing() as connection:
                self._turn(connection)
                opened |= self._opened_together(connection, some, actor, now_ms)
        return [opened[report.key] for report in reports]

    def do(
        self,
        case_id: str,
        command: Command,
        now_ms: int,
        version: int | None = None,
        said: Said | None = None,
    ) -> Case:
        """Do it, or raise MoveRefused with the reason and what is allowed.

        The same key again changes nothing. `version`: the one that the person saw; refused where the case has
        changed since. `said` goes into the record with it.
        """
        with self._writing(urgent=True) as connection:
            self._turn(connection)
            case = self._case(connection, case_id)
            if command.key and (known := self._said_before(connection, command.key)) is not None:
                if known == case_id:
                    return case
                raise MoveRefused(
                    f"标识 key: received {command.key!r}, which is of case {known}, allowed: a new one"
                )
            if version is not None and version != case.version:
                words = f"received version {version}, it is {case.version}: look again"
                raise MoveRefused(f"案件已变 changed meanwhile: {words}")
            facts = self._facts(connection, case, now_ms, command.standard)
            changed = self._write(connection, case, [decide(case, command, facts)], now_ms)
            if command.outcome:
                self._conclude(connection, conclusions(changed, command, facts), now_ms)
            if said is not None:
                self._record(connection, said)
            return changed

    def view(self, case_id: str, actor: Actor | None, now_ms: int) -> CaseView:
        """The case whole, as it is shown, with what the actor may do now, and what hinders them."""
        case = self.case(case_id)
        self._workflow(case)
        return case_view(case, self.config, self.alerts_of(case), actor, now_ms)

    def evaluate(self, period: Period, cut: Cut, now_ms: int, seen_by: Person | None = None) -> list[Figure]:
        """All measures of the period by the cut, with the cases behind each figure; of what one sees."""
        cases = self.cases_between(period.from_ms, period.until_ms, seen_by)
        return evaluate(cases, period, cut, self.config.time, self.config.denominators, now_ms)

    def compared(
        self, period: Period, cut: Cut, now_ms: int, seen_by: Person | None = None
    ) -> list[Comparison]:
        """The same, beside the period before (环比) and a year ago (同比)."""
        periods = (period, period.before(), period.last_year())
        return compare(*(self.evaluate(each, cut, now_ms, seen_by) for each in periods))

    def tick(self, now_ms: int) -> list[Changed]:
        """Warn, tell what is overdue, resume what was parked: what is due, once, however often called."""
        with self._writing() as connection:
            self._turn(connection)
            changed = []
            for case in self._look(connection, now_ms):
                facts = self._facts(connection, case, now_ms)
                steps = list(due_steps(case, facts, self.config))
                after = self._write(connection, case, steps, now_ms)
                changed.append(Changed(after, tuple(entry.verb for _, entry in steps)))
            return changed

    def recompute(self, now_ms: int) -> list[Changed]:
        """Deadlines anew by the calendar and the settings of now: for the start of a service.

        A year whose holidays were published, or other working hours, moves what is open; each says so.
        """
        with self._writing() as connection:
            self._turn(connection)
            moved = [(c, due_ms) for c, due_ms in self._dues(connection) if self._due_ms(c, now_ms) != due_ms]
            return [
                Changed(
                    self._write(connection, case, [self._moved(case, due_ms, now_ms)], now_ms), ("recompute",)
                )
                for case, due_ms in moved
            ]

    def _moved(self, case: Case, before_ms: int, now_ms: int) -> tuple[Case, Entry]:
        first = clocked(case, self.config, now_ms)[0]
        given = {
            "clock": first.run.clock,
            "before": local(before_ms).isoformat(),
            "due": local(first.due.at_ms).isoformat(),
        }
        return noted(case, "recompute", given, now_ms)

    def _opened_together(
        self, connection: sql.Connection, reports: list[Report], actor: Actor, now_ms: int
    ) -> dict[str, Opened]:
        """By key of each report."""
        known = self._has_case(connection, reports)
        alike = self._alike(connection, {(each.category, each.place) for each in reports})
        fresh = [each for each in reports if each.key not in known]
        made = open_together(
            fresh, alike, actor, self.config, now_ms, lambda: self._case_id(connection, now_ms)
        )
        self._write_all(connection, list(made.changes.values()), now_ms)
        opened = {key: Opened(made.changes[of].case, how) for key, (how, of) in made.outcomes.items()}
        return opened | {key: Opened(self._case(connection, of), "known") for key, of in known.items()}

    def _case_id(self, connection: sql.Connection, now_ms: int) -> str:
        return f"{local(now_ms):%Y%m%d}-{self._serial(connection):06}"

    def _opened(self, connection: sql.Connection, report: Report, actor: Actor, now_ms: int) -> Opened:
        known = self._said_before(connection, report.key)
        if known is None and report.alert_id:
            known = self._of_alert(connection, report.alert_id)
        if known is not None:
            return Opened(self._case(connection, known), "known")
        alike = self._alike(connection, {(report.category, report.place)})
        if (same := duplicate_of(report, alike, self.config, now_ms)) is not None:
            step = attach(same, report, actor, now_ms)
            return Opened(self._write(connection, same, [step], now_ms), "attached")
        name = workflow_of(report, self.config, self._classes(connection))
        open_case(report, "", actor, self.config, now_ms, name=name)  # what is refused uses up no number
        step = open_case(report, self._case_id(connection, now_ms), actor, self.config, now_ms, name=name)
        return Opened(self._write(connection, None, [step], now_ms), "opened")

    def _facts(self, connection: sql.Connection, case: Case, now_ms: int, standard: str = "") -> Facts:
        row: Standard | None = self._standard(connection, standard) if standard else None
        alerts = tuple(self._alerts(connection, case.alerts))
        return Facts(self._workflow(case), now_ms, self.config.time, row, alerts)

    def _workflow(self, case: Case) -> Workflow:
        if case.workflow not in self.config.workflows:
            raise SettingsError(
                f"case {case.id}: its workflow {case.workflow!r} is not known any more, allowed: "
                f"{', '.join(self.config.workflows)}; put its file back into workflows_folder"
            )
        return self.config.workflows[case.workflow]
