"""Who may write for a shard, by the order of the claims on the log. Pure.

A worker that takes a shard appends a claim. The claim's offset makes its epoch, so epochs are unique and
only rise, and nobody reads before writing. The newest claim of a shard counts: whoever holds an older one is
fenced.
"""

from __future__ import annotations

from typing import Final

__all__ = ["FIRST_EPOCH", "Ownership", "epoch_after"]

FIRST_EPOCH: Final = 1 << 32
"""Epoch of the claim at offset 0: above every epoch that starts counted before there were claims."""


def epoch_after(claimed_at: int, newest: int | None) -> int:
    """Epoch of a claim at this offset; `newest` is that of the shard's checkpoint, None if there is none.

    Offsets begin again when the topic of claims is made anew; what then follows still counts as newer.
    """
    return max(FIRST_EPOCH + claimed_at, 0 if newest is None else newest + 1)


class Ownership:
    """What one worker holds, and the newest claim of each shard that it has heard of."""

    def __init__(self) -> None:
        self._held: dict[str, int] = {}
        self._newest: dict[str, tuple[int, str]] = {}

    def take(self, shard: str, claimed_at: int) -> None:
        """Hold the shard by a claim of ours that the log has at this offset."""
        self._held[shard] = claimed_at

    def release(self, shard: str) -> None:
        """Hold it no more."""
        self._held.pop(shard, None)

    def hear(self, shard: str, claimed_at: int, owner: str) -> None:
        """A claim of anybody's; those of one shard may be heard in any order, and again."""
        self._newest[shard] = max((claimed_at, owner), self._newest.get(shard, (claimed_at, owner)))

    def superseded(self) -> dict[str, str]:
        """Shards of ours that somebody has claimed since -> who."""
        newest = {shard: self._newest.get(shard, (-1, "")) for shard in self._held}
        return {shard: owner for shard, (at, owner) in newest.items() if at > self._held[shard]}
