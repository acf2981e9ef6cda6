"""Numbers of series by the bytes of their names: one look-up for a whole batch, exact.

Open addressing with linear probing over arrays (Knuth, TAOCP 3, 6.4): a batch is looked up in as many
rounds as the longest run of full slots, each round for all that are still in question.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["MISSING", "SeriesIndex", "keys_of"]

MISSING: Final = -1
"""Number of what is not in the index."""

Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]
Bytes = npt.NDArray[np.uint8]

_WORD: Final = 8
_FIRST_SLOTS: Final = 1024
_FULLEST: Final = 0.5
_MULTIPLIERS: Final = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9))
_HALF: Final = np.uint64(32)


def keys_of(metric: Int64s | int, *texts: Bytes) -> UInt64s:
    """Metric codes and names, as rows of words: shape `(n, words)`, equal for equal names of equal widths.

    Each of `texts` has shape `(n, width)`; names of other widths have keys of another index.
    """
    width = sum(text.shape[1] for text in texts)
    keys = np.zeros((texts[0].shape[0], 1 + -(-width // _WORD)), np.uint64)
    keys[:, 0] = metric
    octets, at = keys[:, 1:].view(np.uint8), 0
    for text in texts:
        octets[:, at : at + text.shape[1]] = text
        at += text.shape[1]
    return keys


class SeriesIndex:
    """Keys of one width to numbers. Keys are only ever added, each once."""

    def __init__(self, words: int) -> None:
        self._keys = np.zeros((_FIRST_SLOTS // 2, words), np.uint64)
        self._numbers = np.zeros(_FIRST_SLOTS // 2, np.int64)
        self._slots = np.full(_FIRST_SLOTS, MISSING, np.int64)
        self._count = 0

    def add(self, keys: UInt64s, numbers: Int64s) -> None:
        """Add keys, shape `(n, words)`, that are not in the index and differ from each other."""
        begin, self._count = self._count, self._count + numbers.size
        self._grow()
        self._keys[begin : self._count], self._numbers[begin : self._count] = keys, numbers
        self._place(np.arange(begin, self._count))

    def find(self, keys: UInt64s) -> Int64s:
        """Number of each key; MISSING where it is not in the index."""
        found = np.full(keys.shape[0], MISSING, np.int64)
        asked, slot = np.arange(keys.shape[0]), self._slot(keys)
        while asked.size:
            entry = self._slots[slot]
            full = entry != MISSING  # an empty slot ends the run: the key is not there
            if not full.all():
                asked, slot, entry = asked[full], slot[full], entry[full]
            same = (self._keys[entry] == keys[asked]).all(axis=1)
            found[asked[same]] = self._numbers[entry[same]]
            asked, slot = asked[~same], (slot[~same] + 1) & (self._slots.size - 1)
        return found

    def _slot(self, keys: UInt64s) -> Int64s:
        mixed = keys[:, 0].copy()
        for word in range(1, keys.shape[1]):
            mixed = (mixed ^ (mixed >> _HALF)) * _MULTIPLIERS[word & 1] + keys[:, word]
        mixed = (mixed ^ (mixed >> _HALF)) * _MULTIPLIERS[0]
        slots: Int64s = (mixed >> _HALF).astype(np.int64) & (self._slots.size - 1)
        return slots

    def _place(self, entries: Int64s) -> None:
        """Give each entry a slot: of those that want the same one, one gets it and the others go on."""
        slot = self._slot(self._keys[entries])
        while entries.size:
            free = self._slots[slot] == MISSING
            self._slots[slot[free]] = entries[free]
            left = self._slots[slot] != entries
            entries, slot = entries[left], (slot[left] + 1) & (self._slots.size - 1)

    def _grow(self) -> None:
        if self._count > self._keys.shape[0]:
            rows = max(self._count, 2 * self._keys.shape[0])
            self._keys = np.concatenate(
                [self._keys, np.zeros((rows - self._keys.shape[0], self._keys.shape[1]), np.uint64)]
            )
            self._numbers = np.concatenate([self._numbers, np.zeros(rows - self._numbers.size, np.int64)])
        placed, size = self._slots.size, self._slots.size
        while self._count > size * _FULLEST:
            size *= 2
        if size != placed:
            before = np.sort(self._slots[self._slots != MISSING])
            self._slots = np.full(size, MISSING, np.int64)
            self._place(before)
