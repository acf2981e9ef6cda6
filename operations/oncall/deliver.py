"""One notification to one person: the preferred channel, or the next when it fails."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import apprise
import structlog

from operations.oncall.model import Person
from operations.oncall.webhook import KEY_HEADER, Webhook

__all__ = ["CHANNEL_LIMIT_S", "Delivery", "again_in_ms", "deliver", "header_key"]

_LOG = structlog.get_logger(__name__)
CHANNEL_LIMIT_S: Final = 8.0
"""How long a channel may take; with it the second of two is reached well within 30 s."""
_ASSET: Final = apprise.AppriseAsset(http_redirects=False)
"""A receiver that sends us on decides nothing: it has not taken the message."""
_WAITS_MS: Final = (2_000, 5_000, 15_000, 30_000)
_MARK_DIGITS: Final = 8


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a message. `channel`: that which took it, "" if none did, and then `problem` says why.

    `refused`: marks of the channels that said they never take it, with those known before. `parked`: all
    did, so that trying again is of no use.
    """

    channel: str = ""
    problem: str = ""
    refused: frozenset[str] = frozenset()
    parked: bool = False


@dataclass(frozen=True, slots=True)
class _Answer:
    """Why a channel did not take a message, "" if it did; `final`: it never will."""

    problem: str = ""
    final: bool = False


def deliver(person: Person, head: str, text: str, key: str, refused: Collection[str] = ()) -> Delivery:
    """Try the channels in turn but those that refused it before. Never raises for what a channel does."""
    problems, never = [], set(refused)
    for url in person.channels:
        scheme, mark = url.partition(":")[0], _mark(url)
        if mark in refused:
            continue
        answer = _send(url, head, text, key)
        if not answer.problem:
            return Delivery(scheme, refused=frozenset(never))
        problems.append(f"{scheme}: {answer.problem}")
        never |= {mark} if answer.final else set()
        facts = {"person": person.name, "channel": scheme, "why": answer.problem}
        _LOG.warning("channel failed; the next is tried", **facts)
    parked = never >= {_mark(url) for url in person.channels}
    return Delivery("", "; ".join(problems), frozenset(never), parked)


def again_in_ms(attempts: int, jitter: float) -> int:
    """How long to wait after so many failed attempts, for as long as the alert is open.

    Between half of 2, 5, 15, then 30 s, and all of it, by `jitter` from 0 to 1: what failed together does not
    come again together.
    """
    most_ms = _WAITS_MS[min(attempts, len(_WAITS_MS)) - 1]
    return round(most_ms * (1 + jitter) / 2)


def header_key(key: str, url: str) -> str:
    """The same for every attempt of one message to one channel: 32 hex digits, as headers are no Chinese."""
    return hashlib.sha256(f"{key}\0{url}".encode()).hexdigest()[:32]


def _mark(url: str) -> str:
    """By which a channel is known without its address, which holds secrets."""
    return hashlib.sha256(url.encode()).hexdigest()[:_MARK_DIGITS]


def _send(url: str, head: str, text: str, key: str) -> _Answer:
    """What the channel said.

    On a thread of its own: a receiver that accepts the connection and says nothing must not hold the rest.
    """
    outcome: list[_Answer] = []

    def attempt() -> None:
        try:
            outcome.append(_asked(url, head, text, key))
        except Exception as error:  # noqa: BLE001 - a plug-in's fault is a channel that failed
            outcome.append(_Answer(type(error).__name__))

    thread = threading.Thread(target=attempt, name="channel", daemon=True)
    thread.start()
    thread.join(CHANNEL_LIMIT_S)
    return outcome[0] if outcome else _Answer(f"no answer within {CHANNEL_LIMIT_S:g} s")


def _asked(url: str, head: str, text: str, key: str) -> _Answer:
    channel = _channel(url)
    if channel is None:
        return _Answer("refused or not reached")
    if isinstance(headers := getattr(channel, "headers", None), dict):  # others have no place for it
        headers[KEY_HEADER] = header_key(key, url)
    taken = channel.notify(body=text, title=head)
    if isinstance(channel, Webhook):
        return _Answer(channel.problem, channel.final)
    return _Answer("" if taken else "refused or not reached")


def _channel(url: str) -> apprise.NotifyBase | None:
    if url.partition(":")[0] in {"json", "jsons"} and (read := Webhook.read(url, _ASSET)) is not None:
        return read
    made = apprise.Apprise.instantiate(url, asset=_ASSET, suppress_exceptions=True)
    return made if isinstance(made, apprise.NotifyBase) else None
