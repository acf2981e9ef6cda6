"""What there is to tell: windows from InfluxDB, parking spaces and alerts from the log."""

from __future__ import annotations

from typing import Final

from operations.influxql import UnavailableError
from operations.outgoing.entities import Entity, entities, spots
from operations.outgoing.geography import Geography
from operations.outgoing.tail import AlertBook, SpotBook, Tail
from operations.outgoing.windows import Kept, WindowStore
from schemas.alerts import Alert

__all__ = ["LiveShelf"]

_KEEP_S: Final = 2.0


class LiveShelf:
    """The shelf of a running installation; the tails are run by others."""

    def __init__(
        self,
        store: WindowStore,
        geography: Geography,
        spots_of: tuple[Tail, SpotBook],
        alerts_of: tuple[Tail, AlertBook],
    ) -> None:
        self._store, self._geography = store, geography
        self._spot_tail, self._spots = spots_of
        self._alert_tail, self._alerts = alerts_of
        self._entities = Kept(_KEEP_S)

    def entities(self) -> list[Entity]:
        """Places, then parking spaces; at most `_KEEP_S` old. UnavailableError while the log is read."""
        return self._entities.get(self._made)

    def alerts(self) -> list[Alert]:
        """Every alert on the log. UnavailableError until all of it is read: half would look like all."""
        if not self._alert_tail.caught_up:
            raise UnavailableError("the alerts are being read from the log; ask again")
        return self._alerts.all()

    def _made(self) -> list[Entity]:
        if not self._spot_tail.caught_up:
            raise UnavailableError("the readings are being read from the log; ask again")
        return entities(self._store.rows(), self._geography) + spots(self._spots.rows())
