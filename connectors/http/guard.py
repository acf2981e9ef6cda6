"""The state at the HTTP door: who is trusted now, how often they came, what signatures were answered.

A signature that comes again within the window is an honest sender's repetition, whose answer was lost
on the way, or a replay by somebody else; nobody can tell them apart, so both are told what the first was
told, and nothing goes into the log a second time. The memory is of this process and bounded: after a
restart, or when it is full, a repetition goes the whole way once more, and its readings count once all
the same, because they carry the same identity.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from connectors.http.trust import Denied, Sender, Signed, Trust, credential, proves
from connectors.rate import TokenBuckets, address_key

__all__ = ["Admitted", "Answers", "Guard", "RateLimit"]

_ANSWERS: Final = 16_384
_TELL_EVERY_S: Final = 60.0
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Requests a second of one sender, or of one address while it is nobody; `burst` at once."""

    per_s: float = 100.0
    burst: int = 1000


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who asks: None on an open door. `signed` is still to be proven by the body."""

    sender: Sender | None = None
    signed: Signed | None = None


class Answers(Generic[Answer]):
    """The newest answers by signature; at most `most`."""

    def __init__(self, most: int = _ANSWERS) -> None:
        self._most = most
        self._answers: OrderedDict[tuple[str, bytes], Answer] = OrderedDict()

    def get(self, signed: Signed) -> Answer | None:
        """What it was answered; None when it is new, or forgotten."""
        return self._answers.get((signed.name, signed.signature))

    def put(self, signed: Signed, answer: Answer) -> None:
        """Remember; the oldest goes when there are too many."""
        self._answers[signed.name, signed.signature] = answer
        if len(self._answers) > self._most:
            self._answers.popitem(last=False)


class Guard:
    """Decides on each request, in two steps: before and after its body.

    `trust` None is an open door: everybody may, without limits; only for loopback. Used by one thread,
    but for `replace`. `now_s` is the wall clock, `tick_s` a monotonic one.
    """

    def __init__(self, trust: Trust | None = None, limit: RateLimit | None = None) -> None:
        limit = limit or RateLimit()
        self._trust = trust
        self._limit = limit
        self._senders = TokenBuckets(limit.per_s, limit.burst)
        self._strangers = TokenBuckets(limit.per_s, limit.burst)
        self._told = TokenBuckets(1 / _TELL_EVERY_S, 1)

    def replace(self, trust: Trust) -> None:
        """From now on these senders; from any thread."""
        self._trust = trust

    def admit(
        self, headers: Mapping[str, str], path: str, address: str, now_s: float, tick_s: float
    ) -> Admitted | Denied:
        """Before the body: the credential, the path, and the rate of those who need no body to be known."""
        trust = self._trust
        if trust is None:
            return Admitted()
        shown = credential(headers)
        sender = shown if isinstance(shown, Denied) else trust.admits(shown, path, now_s)
        if isinstance(sender, Denied):
            return self._stranger(sender, address, tick_s)
        if isinstance(shown, Signed):
            return Admitted(sender, shown)
        return self._limited(sender, tick_s) or Admitted(sender)

    def confirm(
        self, admitted: Admitted, path: str, body: bytes, address: str, tick_s: float
    ) -> Denied | None:
        """After the body: None when the request is the sender's, and not one too many."""
        if admitted.sender is None or admitted.signed is None:
            return None
        denied = proves(admitted.sender, admitted.signed, "POST", path, body)
        if denied is not None:
            return self._stranger(denied, address, tick_s)
        return self._limited(admitted.sender, tick_s)

    def worth_telling(self, reason: str, who: str, tick_s: float) -> bool:
        """Whether the log should hear of this refusal: one a minute of each kind and origin."""
        return not self._told.take(f"{reason} {address_key(who)}", tick_s)

    def _stranger(self, denied: Denied, address: str, tick_s: float) -> Denied:
        wait_s = self._strangers.take(address_key(address), tick_s)
        return self._too_often(f"address {address}", wait_s) if wait_s else denied

    def _limited(self, sender: Sender, tick_s: float) -> Denied | None:
        wait_s = self._senders.take(sender.name, tick_s)
        return self._too_often(f"sender {sender.name}", wait_s) if wait_s else None

    def _too_often(self, who: str, wait_s: float) -> Denied:
        allowed = f"{self._limit.per_s:g} a second, {self._limit.burst} at once"
        return Denied("rate", f"requests: received too many of {who}, allowed: {allowed}", math.ceil(wait_s))
