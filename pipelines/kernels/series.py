"""The series of a shard: every (device, kind, metric, grid) it has heard of, as small integers.

Arrays grow by doubling, so a new series is amortised O(1); only growth ever copies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from pipelines.kernels.batch import Int64s
from pipelines.kernels.series_index import SeriesIndex, keys_of
from pipelines.kernels.template import Bytes

__all__ = ["NEVER_MS", "UNKNOWN", "Names", "SeriesTable"]

NEVER_MS = np.iinfo(np.int64).min // 2
"""Time of the last reading of a series that has none: far below any time, far from overflow."""

UNKNOWN = -1
"""Stands for a code or series that is not in the table."""

Key = tuple[str, str, str, str]


class Names:
    """Texts to consecutive integers, in order of first sight."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.texts = list(names)
        self.codes = {text: code for code, text in enumerate(self.texts)}

    def code(self, text: str) -> int:
        """The text's integer, a new one if need be."""
        code = self.codes.get(text)
        if code is None:
            code = self.codes[text] = len(self.texts)
            self.texts.append(text)
        return code

    def __len__(self) -> int:
        return len(self.texts)


class SeriesTable:
    """Series by number: `metric`, `grid`, `device`, `subject` (codes), and `newest_ms` (last event time).

    Columns have shape `(len(table),)`. `subject` is that of the series' first reading; code 0 is
    "nobody". A device that moves to another grid starts another series there.
    """

    def __init__(self) -> None:
        self.index: dict[Key, int] = {}
        self.grids = Names()
        self.devices = Names()
        self.subjects = Names([""])
        self._columns: npt.NDArray[np.int64] = np.zeros((5, 1024), np.int64)
        self._first_of_device: list[int] = []
        self._by_width: dict[tuple[int, int], SeriesIndex] = {}
        self._unindexed: list[tuple[str, str, int]] = []  # device, grid, number

    def __len__(self) -> int:
        return len(self.index)

    @property
    def metric(self) -> Int64s:
        """Metric code (`Plan.codes`) of each series."""
        return self._columns[0, : len(self)]

    @property
    def grid(self) -> Int64s:
        """Grid code (`grids`) of each series."""
        return self._columns[1, : len(self)]

    @property
    def device(self) -> Int64s:
        """Device code (`devices`) of each series."""
        return self._columns[2, : len(self)]

    @property
    def subject(self) -> Int64s:
        """Subject code (`subjects`) of each series."""
        return self._columns[3, : len(self)]

    @property
    def newest_ms(self) -> Int64s:
        """Newest event time accepted of each series; NEVER_MS at first."""
        return self._columns[4, : len(self)]

    def lookup(self, devices: list[str], grids: list[str], metric: Int64s) -> Int64s:
        """Numbers of the series of (device, metric, grid); UNKNOWN for those to be asked for singly.

        Most devices have one series: it is guessed by the device alone and checked in columns, which
        spares a tuple and its hash for each reading.
        """
        if not self._first_of_device:
            return np.full(metric.size, UNKNOWN, np.int64)
        device_code, grid_code = self.devices.codes.get, self.grids.codes.get
        device = np.array([device_code(text, UNKNOWN) for text in devices], np.int64)
        grid = np.array([grid_code(text, UNKNOWN) for text in grids], np.int64)
        guess = np.array(self._first_of_device, np.int64)[device]
        right = (device != UNKNOWN) & (self.metric[guess] == metric) & (self.grid[guess] == grid)
        return np.where(right, guess, UNKNOWN)

    def find(self, metric: int, devices: Bytes, grids: Bytes) -> Int64s:
        """Numbers of the series of one metric by the bytes of their names, ASCII, shapes `(n, width)`.

        UNKNOWN where there is none.
        """
        self._index_new()
        index = self._by_width.get((devices.shape[1], grids.shape[1]))
        if index is None:
            return np.full(devices.shape[0], UNKNOWN, np.int64)
        return index.find(keys_of(metric, devices, grids))

    def _index_new(self) -> None:
        """Index the series added since the last question, those of equal widths at once."""
        by_width: dict[tuple[int, int], list[tuple[str, str, int]]] = {}
        for row in self._unindexed:
            device, grid, _ = row
            if device.isascii() and grid.isascii():
                by_width.setdefault((len(device), len(grid)), []).append(row)
        self._unindexed.clear()
        for widths, rows in by_width.items():
            devices, grids, numbers = zip(*rows, strict=True)
            added = np.array(numbers, np.int64)
            keys = keys_of(self.metric[added], _octets(devices, widths[0]), _octets(grids, widths[1]))
            if widths not in self._by_width:
                self._by_width[widths] = SeriesIndex(keys.shape[1])
            self._by_width[widths].add(keys, added)

    def add(self, key: Key, metric: int, subject: str) -> int:
        """Number a new series; `key` is (device, kind, metric, grid)."""
        number = len(self.index)
        if number == self._columns.shape[1]:
            self._columns = np.concatenate([self._columns, np.zeros_like(self._columns)], axis=1)
        self.index[key] = number
        device, grid = self.devices.code(key[0]), self.grids.code(key[3])
        if device == len(self._first_of_device):
            self._first_of_device.append(number)
        self._columns[:, number] = (metric, grid, device, self.subjects.code(subject), NEVER_MS)
        self._unindexed.append((key[0], key[3], number))
        return number


def _octets(texts: Sequence[str], width: int) -> Bytes:
    """ASCII texts of one width as bytes, shape `(n, width)`."""
    return np.frombuffer("".join(texts).encode(), np.uint8).reshape(len(texts), width)
