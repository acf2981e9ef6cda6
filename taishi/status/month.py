"""The scorecard of a calendar month, a row a source and vendor, as CSV. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from schemas.calendar import ZONE
from schemas.cells import cell
from schemas.errors import SettingsError, received_allowed
from taishi.status.outcomes import OutcomeScore
from taishi.status.vendors import ALL

__all__ = ["COLUMNS", "Month", "month_csv", "month_of", "month_query"]

COLUMNS: Final = (
    *("month", "source", "vendor", "messages", "bad_share", "readings", "late_share", "duplicate_share"),
    *("silence_h", "clock_off_s", "alerts_concluded", "false_alarm_share"),
)
_SUMS: Final = ("messages", "bad", "readings", "late", "duplicate", "silent")


class Month(NamedTuple):
    """A month of the district's calendar: its name (`2026-11`), and from when until when."""

    name: str
    from_ms: int
    until_ms: int


def month_of(text: str) -> Month:
    """The month so called; SettingsError for what is none."""
    try:
        first = datetime.strptime(text, "%Y-%m").replace(tzinfo=ZONE)
    except ValueError:
        raise SettingsError(received_allowed("--month", text, ["a month such as 2026-11"])) from None
    after = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return Month(f"{first:%Y-%m}", int(first.timestamp() * 1000), int(after.timestamp() * 1000))


def month_query(month: Month) -> str:
    """InfluxQL: what was counted in the month, by source and vendor."""
    sums = ", ".join(f"sum({name}) AS {name}" for name in _SUMS)
    within = f"time >= {month.from_ms}ms AND time < {month.until_ms}ms AND vendor != '{ALL}'"
    asked = f'SELECT {sums}, mean(clock_s) AS clock_s FROM "1m"."sources"'  # noqa: S608 - nothing is given
    return f"{asked} WHERE {within} GROUP BY source, vendor"


def month_csv(
    month: Month, rows: Iterable[Mapping[str, object]], outcomes: Iterable[OutcomeScore], every_s: float
) -> str:
    """The rows with shares from 0 to 1, empty where nothing came to take one of.

    `silence_h`: looks at which the vendor was silent, which are `every_s` apart. What people concluded is of
    a vendor, whichever way its devices send, so it stands in each of its rows.
    """
    said = {score.vendor: score for score in outcomes}
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(COLUMNS)
    for row in sorted(rows, key=lambda each: (str(each["source"]), str(each["vendor"]))):
        counts = {name: _number(row[name]) or 0.0 for name in _SUMS}
        score, clock_s = said.get(str(row["vendor"])), _number(row["clock_s"])
        table.writerow([
            month.name, cell(str(row["source"])), cell(str(row["vendor"])),
            int(counts["messages"]), _share(counts["bad"], counts["messages"]),
            int(counts["readings"]), _share(counts["late"], counts["readings"]),
            _share(counts["duplicate"], counts["readings"]),
            round(counts["silent"] * every_s / 3600, 2), "" if clock_s is None else round(clock_s, 1),
            score.concluded if score else 0, _told(score.false_alarms if score else None),
        ])  # fmt: skip
    return text.getvalue()


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))


def _share(part: float, whole: float) -> str:
    return _told(part / whole if whole else None)


def _told(share: float | None) -> str:
    return "" if share is None else f"{share:.4f}"
