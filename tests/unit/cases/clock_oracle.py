"""Limits by counting minutes, one after the other, on a calendar typed by hand from the State Council's
notices (国办发明电 of 2024 and 2025): slow, and with nothing in common with `operations/cases/clocks.py`.

`python tests/unit/cases/clock_oracle.py` writes the counted rows of `deadlines.csv` and `elapsed.csv` anew;
rows worked by hand (`by` = hand) stay as they are.
"""

import csv
import random
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent
HOLIDAYS = """
2025-01-01..2025-01-01 2025-01-28..2025-02-04 2025-04-04..2025-04-06 2025-05-01..2025-05-05
2025-05-31..2025-06-02 2025-10-01..2025-10-08
2026-01-01..2026-01-03 2026-02-15..2026-02-23 2026-04-04..2026-04-06 2026-05-01..2026-05-05
2026-06-19..2026-06-21 2026-09-25..2026-09-27 2026-10-01..2026-10-07
"""
MAKE_UP = """
2025-01-26 2025-02-08 2025-04-27 2025-09-28 2025-10-11
2026-01-04 2026-02-14 2026-02-28 2026-05-09 2026-09-20 2026-10-10
"""
FIRST, LAST_PUBLISHED, DAYS = date(2025, 1, 1), 2026, 3 * 365
MINUTES = {"working_minute": 1, "working_hour": 60, "working_day": 480}
RUNNING_ON = {"urgent_minute": 1, "urgent_hour": 60, "natural_day": 1440}


@cache
def worked_days() -> frozenset[date]:
    off = set()
    for span in HOLIDAYS.split():
        first, last = map(date.fromisoformat, span.split(".."))
        off |= {first + timedelta(days=n) for n in range((last - first).days + 1)}
    on = {date.fromisoformat(day) for day in MAKE_UP.split()}
    every = [FIRST + timedelta(days=n) for n in range(DAYS)]
    return frozenset(day for day in every if day in on or (day.weekday() < 5 and day not in off))


@cache
def worked_minutes() -> np.ndarray:
    """For each minute since the first day whether it is worked: 08-12 and 14-18 of worked days."""
    minutes = np.zeros(DAYS * 1440, dtype=bool)
    for number in range(DAYS):
        if FIRST + timedelta(days=number) in worked_days():
            for begin, end in ((8, 12), (14, 18)):
                minutes[number * 1440 + begin * 60 : number * 1440 + end * 60] = True
    return minutes


def minute_of(text: str) -> int:
    day, _, clock = text.partition(" ")
    hours, _, minutes = clock.partition(":")
    return (date.fromisoformat(day) - FIRST).days * 1440 + int(hours) * 60 + int(minutes)


def moment_of(minute: int) -> str:
    return f"{FIRST + timedelta(days=minute // 1440)} {minute % 1440 // 60:02}:{minute % 60:02}"


def pauses_of(text: str) -> list[tuple[int, int]]:
    return [tuple(minute_of(end.strip()) for end in each.split("..")) for each in text.split(";") if each]


def running(unit: str) -> np.ndarray:
    return worked_minutes() if unit in MINUTES else np.ones(DAYS * 1440, dtype=bool)


def deadline(start: str, amount: float, unit: str, pauses: str, extended: int) -> tuple[str, bool]:
    """Count the minutes that run, and leave out those that do not."""
    runs = running(unit).copy()
    for begin, end in pauses_of(pauses):
        runs[begin:end] = False
    wanted = round(amount * (MINUTES | RUNNING_ON)[unit]) * (1 + extended)
    begin = minute_of(start)
    end = begin + int(np.flatnonzero(runs[begin:])[wanted - 1]) + 1
    return moment_of(end), unit in MINUTES and moment_of(end)[:4] > str(LAST_PUBLISHED)


def end_of_day(start: str, days: int, extended: int) -> tuple[str, bool]:
    """The last minute of the n-th worked day after the start's."""
    day = date.fromisoformat(start[:10])
    for _ in range(days * (1 + extended)):
        day += timedelta(days=1)
        while day not in worked_days():
            day += timedelta(days=1)
    return f"{day} 18:00", day.year > LAST_PUBLISHED


def elapsed(start: str, until: str, unit: str) -> int:
    return int(running(unit)[minute_of(start) : minute_of(until)].sum())


def rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _moment(random_: random.Random) -> str:
    """Any minute of two years, more often near what is easily got wrong: edges of days, weeks, holidays."""
    edges = ["2026-02-14", "2026-02-24", "2026-04-03", "2026-04-30", "2026-05-09", "2026-06-18", "2026-09-20"]
    edges += [
        "2026-09-24",
        "2026-09-30",
        "2026-10-10",
        "2025-09-30",
        "2025-01-27",
        "2026-12-31",
        "2026-12-28",
    ]
    day = date.fromisoformat(random_.choice(edges)) + timedelta(days=random_.randrange(-2, 3))
    if random_.random() < 0.5:
        day = FIRST + timedelta(days=random_.randrange(700))
    near = [0, 479, 480, 481, 719, 720, 721, 839, 840, 841, 1079, 1080, 1081, 1439]
    minute = random_.choice(near) if random_.random() < 0.4 else random_.randrange(1440)
    return f"{day} {minute // 60:02}:{minute % 60:02}"


def _counted(random_: random.Random) -> dict[str, object]:
    unit = random_.choice([*MINUTES, *RUNNING_ON])
    most = {
        "urgent_minute": 90,
        "urgent_hour": 24,
        "natural_day": 7,
        "working_minute": 200,
        "working_hour": 20,
    }
    amount = random_.randint(1, most.get(unit, 15))
    start = _moment(random_)
    row = {"start": start, "limit": f"{amount} {unit}", "day_end": "", "pauses": "", "extended": 0}
    row["extended"] = random_.choice([0, 0, 0, 1, 2])
    if unit == "working_day" and random_.random() < 0.35:
        row["day_end"] = "end_of_day"
        row["due"], provisional = end_of_day(start, amount, row["extended"])
    else:
        at, pauses = minute_of(start), []
        for _ in range(random_.choice([0, 0, 0, 1, 1, 2])):
            begin = at + random_.randrange(1, 3000)
            at = begin + random_.randrange(1, 6000)
            pauses.append(f"{moment_of(begin)}..{moment_of(at)}")
        row["pauses"] = ";".join(pauses)
        row["due"], provisional = deadline(start, amount, unit, row["pauses"], row["extended"])
    return row | {"provisional": "yes" if provisional else "", "by": "counted", "note": ""}


def _spans(random_: random.Random) -> dict[str, object]:
    unit = random_.choice([*MINUTES, *RUNNING_ON])
    start = _moment(random_)
    until = moment_of(minute_of(start) + random_.choice([1, 59, 60, 600, 1440, 5000, 20_000]))
    minutes = elapsed(start, until, unit)
    return {"start": start, "until": until, "unit": unit, "minutes": minutes, "by": "counted", "note": ""}


def write(name: str, made: list[dict[str, object]]) -> None:
    kept = [row for row in rows(name) if row["by"] == "hand"]
    with (FOLDER / name).open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, kept[0].keys(), lineterminator="\n")
        table.writeheader()
        table.writerows([*kept, *made])


if __name__ == "__main__":
    seeded = random.Random(370202)
    write("deadlines.csv", sorted((_counted(seeded) for _ in range(400)), key=lambda row: str(row["start"])))
    write("elapsed.csv", sorted((_spans(seeded) for _ in range(100)), key=lambda row: str(row["start"])))
