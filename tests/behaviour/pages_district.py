"""A district whose windows a test writes itself, at the moment, for the pages to show."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

import httpx

from schemas.places.registry import PlaceRegistry, known_places
from schemas.places.synthetic import synthetic_layer

PLACES = PlaceRegistry(known_places("370202"), synthetic_layer("370202"))
GRID = PLACES.grid_codes[0]
STREET, COMMUNITY, DISTRICT = GRID[:9], GRID[:12], "370202"
TAIL = "readings=4.0,readings_simulated=4.0,complete=1i,revision=1i"
_POLICIES = {10: "10s", 60: "1m", 3600: "1h"}
_SPACES = {"district": 5730.0, "street": 520.0, "community": 110.0, "grid": 10.0}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def newest_start_ms(window_s: int = 10) -> int:
    """Of the window that ended last."""
    length_ms = window_s * 1000
    return now_ms() // length_ms * length_ms - length_ms


class District:
    """Writes windows of all places, as `situation` would."""

    def __init__(self, url: str, database: str) -> None:
        self._url, self._database = url, database

    def window(self, start_ms: int, share: float) -> None:
        """Ten seconds with that share of the spaces occupied: the first grid full, the second empty."""
        lines = []
        for level, spaces in _SPACES.items():
            for number, place in enumerate(PLACES.at(level)):
                here = {0: 1.0, 1: 0.0}.get(number, share) if level == "grid" else share
                lines.append(
                    f"parking,level={level},place={place.code},window=10s spaces={spaces},"
                    f"occupied={spaces * here},unknown=0.0,occupancy={here},turnover=1.0,{TAIL} {start_ms}"
                )
            lines += [self._line(domain, level, start_ms) for domain in ("security", "care", "governance")]
        self._write(10, lines)

    def hours(self, window_s: int, starts_ms: list[int], values: Mapping[str, str]) -> None:
        """Windows of the district alone, of a minute or an hour; `values` by domain, in line protocol."""
        window = _POLICIES[window_s]
        self._write(
            window_s,
            [
                f"{domain},level=district,place={DISTRICT},window={window} {fields},{TAIL} {start}"
                for domain, fields in values.items()
                for start in starts_ms
            ],
        )

    def _line(self, domain: str, level: str, start_ms: int) -> str:
        fields = {
            "security": "people_entered=1.0,access_denied=0.0,intrusion_intrusion=0.0,fire_smoke=0.0",
            "care": "residents_seen=20.0,beds=20.0,beds_occupied=9.0,vitals_out_of_range=8.0",
            "governance": "patrols=6.0,reports=0.0,checked_in=0.0,station_visits=0.0",
        }
        place = PLACES.at(level)[0].code  # type: ignore[arg-type]
        return f"{domain},level={level},place={place},window=10s {fields[domain]},{TAIL} {start_ms}"

    def _write(self, window_s: int, lines: list[str]) -> None:
        asked = {"db": self._database, "rp": _POLICIES[window_s], "precision": "ms"}
        answer = httpx.post(
            f"{self._url}/write", params=asked, content="\n".join(lines), trust_env=False, timeout=30
        )
        assert answer.status_code == 204, answer.text


class Beats:
    """Writes the newest window every second, so that pages have the present, until it is left."""

    def __init__(self, district: District, share: float = 0.5) -> None:
        self._district, self.share = district, share
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._written: tuple[int, float] | None = None

    def __enter__(self) -> Beats:
        self.write()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(30)

    def write(self) -> None:
        """The newest window, if it is not there as it should be."""
        wanted = newest_start_ms(), self.share
        if wanted != self._written:
            self._district.window(*wanted)
            self._written = wanted

    def _run(self) -> None:
        while not self._over.wait(1.0):
            self.write()
