"""What people did, back to the log: the topic `acts`, from what the database has written.

The tables `actions` and `case_flow` are the outbox: an act and its row are one transaction, nobody changes a
row, and numbers are in the order in which they came to count. How far they are published is in `progress`.

Dying between any two lines:
- before the broker has confirmed: the same rows are sent again, under the same keys and ids;
- after that and before the position is written: the same;
- the position is written only forward, so of two desks on one database the slower takes nothing back.
So each act is in the topic at least once, a repeat has the same `id`, and `number` gives the order of a key.
While the broker cannot be reached people go on working; what they do waits in the tables.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

import msgspec
import structlog
from confluent_kafka import KafkaException

from operations.alerts.actions import Action
from operations.cases.model import Entry
from operations.desk.store import DeskStore
from operations.desk.telemetry import ACTS_PUBLISHED, ACTS_UNSENT
from operations.store.casebook import CaseBook
from operations.store.cases import CaseLine
from schemas.acts import Act

__all__ = ["ActRecord", "Publisher", "of_action", "of_entry"]

_LOG = structlog.get_logger(__name__)
_ENCODE: Final = msgspec.json.Encoder().encode
_LOOK_S: Final = 0.5
_AGAIN_S: Final = 5.0
_BATCH: Final = 1_000
_ALERTS, _CASES = "acts/alerts", "acts/cases"


class ActRecord(NamedTuple):
    """A record of the topic."""

    key: bytes
    value: bytes


class Publisher:
    """Acts of one desk; `send` returns when the broker has every record, or raises KafkaException."""

    def __init__(
        self, store: DeskStore, cases: CaseBook, send: Callable[[Sequence[ActRecord]], None]
    ) -> None:
        self._store, self._cases, self._send = store, cases, send

    def run(self, stopping: threading.Event) -> None:
        """Publish what there is until told to stop; a broker that is away is asked again."""
        while not stopping.is_set():
            wait_s = _LOOK_S
            try:
                while self.publish():
                    pass
            except KafkaException as error:
                ACTS_UNSENT.inc()
                _LOG.warning("acts wait: the log does not take them", why=str(error))
                wait_s = _AGAIN_S
            stopping.wait(wait_s)

    def publish(self) -> int:
        """Send what is not published yet, at most a batch of each kind; how many that were."""
        return self._actions() + self._entries()

    def _actions(self) -> int:
        rows = self._store.actions_after(self._store.next_offset(_ALERTS) or 0, _BATCH)
        return self._told(_ALERTS, [of_action(number, action) for number, action in rows])

    def _entries(self) -> int:
        rows = self._cases.flow_since(self._store.next_offset(_CASES) or 0, _BATCH)
        lines = self._cases.lines_of({entry.case_id for _, entry in rows})
        return self._told(_CASES, [of_entry(number, e, lines[e.case_id]) for number, e in rows])

    def _told(self, position: str, acts: Sequence[Act]) -> int:
        if acts:
            self._send([ActRecord(_key(act), _ENCODE(act)) for act in acts])
            self._store.go_on(position, acts[-1].number)
            ACTS_PUBLISHED.inc(len(acts))
        return len(acts)


def of_action(number: int, action: Action) -> Act:
    """What somebody did with an alert, a device, or a rule in a place."""
    target = action.target
    return Act(
        id=f"alert/{action.id}",
        number=number,
        of="alert",
        verb=action.kind,
        by=action.by,
        at_ms=action.at_ms,
        alert=target.alert_id,
        rule=target.rule,
        place=target.place,
        device=target.device,
        why=action.why,
        second=action.second,
        until_ms=action.until_ms,
        given={name: value for name in ("outcome", "person") if (value := getattr(action, name))},
    )


def of_entry(number: int, entry: Entry, case: CaseLine) -> Act:
    """What happened to a case; what the case is about does not change with it."""
    return Act(
        id=f"case/{entry.case_id}/{entry.version}",
        number=number,
        of="case",
        verb=entry.verb,
        by=entry.by,
        at_ms=entry.at_ms,
        alert=entry.given.get("alert", ""),
        case=entry.case_id,
        place=case.place,
        why=entry.why,
        workflow=case.workflow,
        category=case.category,
        version=entry.version,
        from_state=entry.from_state,
        to_state=entry.to_state,
        role=entry.role,
        terminal=entry.terminal,
        given=entry.given,
    )


def _key(act: Act) -> bytes:
    scope: Iterable[str] = (act.rule, act.place, act.device)
    return (act.case or act.alert or "/".join(scope)).encode()
