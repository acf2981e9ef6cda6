"""One notification to one person: the preferred channel, or the next when it fails."""

from __future__ import annotations

import threading
from typing import Final

import apprise
import structlog

from operations.oncall.model import Person

__all__ = ["CHANNEL_LIMIT_S", "again_in_ms", "deliver"]

_LOG = structlog.get_logger(__name__)
CHANNEL_LIMIT_S: Final = 8.0
"""How long a channel may take; with it the second of two is reached well within 30 s."""
_ASSET: Final = apprise.AppriseAsset(http_redirects=False)
"""A receiver that sends us on decides nothing: it has not taken the message."""
_WAITS_S: Final = (2, 5, 15, 30)


def deliver(person: Person, head: str, text: str) -> tuple[str, str]:
    """(the channel that took it, "") or ("", why none did). Never raises for what a channel does."""
    problems = []
    for url in person.channels:
        scheme = url.partition(":")[0]
        problem = _send(url, head, text)
        if not problem:
            return scheme, ""
        problems.append(f"{scheme}: {problem}")
        _LOG.warning("channel failed; the next is tried", person=person.name, channel=scheme, why=problem)
    return "", "; ".join(problems)


def again_in_ms(attempts: int) -> int:
    """How long to wait after so many failed attempts; at most 30 s, for as long as the alert is open."""
    return _WAITS_S[min(attempts, len(_WAITS_S)) - 1] * 1000


def _send(url: str, head: str, text: str) -> str:
    """Why the channel did not take it, "" if it did.

    On a thread of its own: a receiver that accepts the connection and says nothing must not hold the rest.
    """
    outcome: list[str] = []

    def attempt() -> None:
        try:
            channel = apprise.Apprise.instantiate(url, asset=_ASSET, suppress_exceptions=True)
            taken = channel is not None and channel.notify(body=text, title=head)
            outcome.append("" if taken else "refused or not reached")
        except Exception as error:  # noqa: BLE001 - a plug-in's fault is a channel that failed
            outcome.append(type(error).__name__)

    thread = threading.Thread(target=attempt, name="channel", daemon=True)
    thread.start()
    thread.join(CHANNEL_LIMIT_S)
    return outcome[0] if outcome else f"no answer within {CHANNEL_LIMIT_S:g} s"
