"""The table `handovers`: offered by one, signed by another.

Dying between any two lines: an offer and its entry of the record are one transaction, and so are a signature
and its entry, so that whose the next alert is stands in the record or is not so. Of two who sign at once the
first counts, the second is told by whom.
"""

from __future__ import annotations

from typing import Final

import msgspec
import sqlalchemy as sql

from operations.handover.duty import Duty, Term
from operations.handover.model import Handover, HandoverRules, OutgoingList
from operations.handover.rules import offer_refusal, sign_refusal, withdraw_refusal
from operations.people.audit import Said
from operations.people.roles import Person
from operations.store.audit import AuditRows
from operations.store.handover_tables import HANDOVERS
from schemas.errors import Refused, SettingsError

__all__ = ["HandoverRows"]

_TURN: Final = "handovers"
_LISTED: Final = msgspec.json.Decoder(OutgoingList).decode
_OPEN: Final = (HANDOVERS.c.signed_ms == 0) & (HANDOVERS.c.withdrawn_ms == 0)
_TERMS_MAX: Final = 200
"""So many signatures back the posts are known: two months of three shifts."""


class HandoverRows(AuditRows):
    """Hand-overs, and whose the posts are by their signatures."""

    def offer(self, new: Handover, person: Person, rules: HandoverRules, said: Said) -> Handover:
        """Offer it, or raise Refused. The same id again answers what was written first."""
        with self._engine.begin() as connection:
            self._alone(connection, _TURN)
            if (known := self._handover(connection, new.id)) is not None:
                return known
            standing = self._handovers(connection, _OPEN & (HANDOVERS.c.post == new.post))
            held = self._duty(connection).holder(new.post, new.offered_ms)
            if words := offer_refusal(new.post, person, held, standing[0] if standing else None, rules):
                raise Refused(words)
            connection.execute(sql.insert(HANDOVERS).values(**_row(new)))
            self._record(connection, said)
            return new

    def sign(self, handover_id: str, person: Person, said: Said) -> Handover:
        """Take the post over, from this moment; Refused says why not. Said again it changes nothing."""
        with self._engine.begin() as connection:
            self._alone(connection, _TURN)
            known = self._known_handover(connection, handover_id)
            if known.signed_ms and known.incoming == person.id:
                return known
            if words := sign_refusal(known, person):
                raise Refused(words)
            values = {"incoming": person.id, "incoming_name": person.name, "signed_ms": said.at_ms}
            return self._changed(connection, handover_id, values, said)

    def withdraw_offer(self, handover_id: str, person: Person, said: Said) -> Handover:
        """Take an open offer back; Refused says why not."""
        with self._engine.begin() as connection:
            self._alone(connection, _TURN)
            if words := withdraw_refusal(self._known_handover(connection, handover_id), person):
                raise Refused(words)
            return self._changed(connection, handover_id, {"withdrawn_ms": said.at_ms}, said)

    def handover(self, handover_id: str) -> Handover:
        """One, with its list; SettingsError where there is none of that id."""
        with self._engine.connect() as connection:
            return self._known_handover(connection, handover_id)

    def handovers(self, limit: int = 50) -> list[Handover]:
        """The newest, the latest offered first."""
        with self._engine.connect() as connection:
            return self._handovers(connection, sql.true(), limit)

    def offers(self) -> list[Handover]:
        """Those that wait for a signature."""
        with self._engine.connect() as connection:
            return self._handovers(connection, _OPEN)

    def duty(self) -> Duty:
        """Whose the posts are, and were lately."""
        with self._engine.connect() as connection:
            return self._duty(connection)

    def _duty(self, connection: sql.Connection) -> Duty:
        columns = (HANDOVERS.c.post, HANDOVERS.c.signed_ms, HANDOVERS.c.incoming, HANDOVERS.c.incoming_name)
        signed = sql.select(*columns).where(HANDOVERS.c.signed_ms > 0)
        newest = signed.order_by(HANDOVERS.c.signed_ms.desc()).limit(_TERMS_MAX)
        return Duty.of(Term(*row) for row in connection.execute(newest))

    def _changed(
        self, connection: sql.Connection, handover_id: str, values: dict[str, object], said: Said
    ) -> Handover:
        connection.execute(sql.update(HANDOVERS).where(HANDOVERS.c.id == handover_id).values(**values))
        self._record(connection, said)
        return self._known_handover(connection, handover_id)

    def _known_handover(self, connection: sql.Connection, handover_id: str) -> Handover:
        found = self._handover(connection, handover_id)
        if found is None:
            raise SettingsError(f"交班 hand-over: received {handover_id!r}, which the desk does not know")
        return found

    def _handover(self, connection: sql.Connection, handover_id: str) -> Handover | None:
        found = self._handovers(connection, HANDOVERS.c.id == handover_id)
        return found[0] if found else None

    def _handovers(
        self, connection: sql.Connection, where: sql.ColumnElement[bool], limit: int = 50
    ) -> list[Handover]:
        wanted = sql.select(HANDOVERS).where(where).order_by(HANDOVERS.c.offered_ms.desc()).limit(limit)
        return [_handover(row) for row in connection.execute(wanted)]


def _row(handover: Handover) -> dict[str, object]:
    facts = {name: getattr(handover, name) for name in HANDOVERS.columns.keys()}  # noqa: SIM118 - no mapping
    return facts | {"listed": msgspec.json.encode(handover.listed)}


def _handover(row: sql.Row[tuple[object, ...]]) -> Handover:
    facts = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's own name for it
    return Handover(**facts | {"listed": _LISTED(facts["listed"])})
