"""What happened at a moment, out of InfluxDB: alerts, and the scorecard of sources, as Arrow tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import pyarrow as pa

from schemas.store import DEFAULT_POLICY, EVENTS
from taishi.analysis.influx import Store
from taishi.analysis.period import Period

__all__ = ["alerts", "sources"]

_ALERT: Final = {
    **dict.fromkeys(("id", "rule", "severity", "domain", "level", "place", "device"), pa.string()),
    **dict.fromkeys(("title", "explanation"), pa.string()),
    **dict.fromkeys(("active", "cleared_ms", "count", "children", "simulated"), pa.int64()),
}


def alerts(store: Store, when: Period, rule: str, within: Sequence[str]) -> pa.Table:
    """Alerts with their onset in the period, by onset: `time` and the columns of the annotations.

    `rule`: those whose rule begins so; `within`: those of these places (codes) and all below.
    """
    conditions = [f"rule =~ /^{re.escape(rule)}/"] if rule else []
    conditions += [f"place =~ /^({'|'.join(within)})/"] if within else []
    found = store.columns(
        _select([f'"{name}"' for name in _ALERT], f'"{EVENTS}"."alerts"', when, conditions), _ALERT
    )
    if found is None:
        return pa.schema([("time", pa.int64()), *_ALERT.items()]).empty_table()
    return found.drop_columns(["tags"])


def sources(store: Store, when: Period) -> pa.Table:
    """The scorecard's points in the period: `time`, `source`, `vendor` and every field there is."""
    found = store.everything(_select(["*"], f'"{DEFAULT_POLICY}"."sources"', when, []))
    if found is None:
        return pa.schema(
            [("time", pa.int64()), ("source", pa.string()), ("vendor", pa.string())]
        ).empty_table()
    return found.drop_columns(["name", "tags"])


def _select(what: Sequence[str], measurement: str, when: Period, conditions: Sequence[str]) -> str:
    where = " AND ".join([f"time >= {when.from_ms}ms", f"time < {when.to_ms}ms", *conditions])
    return f"SELECT {', '.join(what)} FROM {measurement} WHERE {where}"  # noqa: S608 - rules are escaped
