"""How often somebody may: token buckets by name, bounded in memory, with the time passed in."""

from __future__ import annotations

import ipaddress
from typing import Final

__all__ = ["TokenBuckets", "address_key"]

_NAMES: Final = 65_536
_ROUNDING_S: Final = 1e-9


class TokenBuckets:
    """One bucket a name: `burst` tokens at first, `rate_per_s` more a second, never more than `burst`.

    Kept is one number a name, the moment its bucket is full again (GCRA, as ATM's traffic contracts have it):
    it is asked for every reading. Beyond `names` buckets those that are full go, as a full bucket and none
    are the same; then, down to half of `names`, those known for longest. Times are seconds of one clock that
    never steps back. Not safe for several threads.
    """

    def __init__(self, rate_per_s: float, burst: float, names: int = _NAMES) -> None:
        self._gap_s = 1.0 / rate_per_s
        self._slack_s = (burst - 1.0) / rate_per_s
        self._names = names
        self._full_at_s: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._full_at_s)

    def take(self, name: str, now_s: float) -> float:
        """Take one token: 0.0 when there was one, else the seconds until there is."""
        full_at_s = self._full_at_s.get(name, now_s)
        full_at_s = max(full_at_s, now_s)
        wait_s = full_at_s - now_s - self._slack_s
        if wait_s > _ROUNDING_S:
            return wait_s
        self._full_at_s[name] = full_at_s + self._gap_s
        if len(self._full_at_s) > self._names:
            self._forget(now_s)
        return 0.0

    def _forget(self, now_s: float) -> None:
        left = [(name, full_at_s) for name, full_at_s in self._full_at_s.items() if full_at_s > now_s]
        self._full_at_s = dict(left[-max(1, self._names // 2) :])


def address_key(host: str) -> str:
    """Whose an address is: IPv4 as it is, IPv6 its /64 (one customer has a whole one to choose from)."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
