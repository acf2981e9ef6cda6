"""How often somebody may: token buckets by name, bounded in memory, with the time passed in."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from typing import Final

__all__ = ["TokenBuckets", "address_key"]

_NAMES: Final = 65_536


class TokenBuckets:
    """One bucket a name: `burst` tokens at first, `rate_per_s` more a second, never more than `burst`.

    At most `names` buckets are kept, the one used longest ago goes first: it had the longest time to fill
    up again, and a full bucket and none are the same. Times are seconds of one clock; one that steps back
    adds nothing. Not safe for several threads.
    """

    def __init__(self, rate_per_s: float, burst: float, names: int = _NAMES) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._names = names
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, name: str, now_s: float) -> float:
        """Take one token: 0.0 when there was one, else the seconds until there is."""
        tokens, at_s = self._buckets.pop(name, (self._burst, now_s))
        tokens = min(self._burst, tokens + max(0.0, now_s - at_s) * self._rate_per_s)
        taken = tokens >= 1.0
        self._buckets[name] = (tokens - 1.0 if taken else tokens, now_s)
        if len(self._buckets) > self._names:
            self._buckets.popitem(last=False)
        return 0.0 if taken else (1.0 - tokens) / self._rate_per_s


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
