"""Errors grouped by what happens next, not by where they came from.

Bad data is never one of these: it is an output (`schemas.quarantine`). These are for what a
process cannot go on with, or can only go on with later.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["Backpressure", "OutdatedState", "Refused", "SettingsError", "TaishiError", "received_allowed"]


class TaishiError(Exception):
    """Base of all our errors: the message names what was received and what is allowed."""


class SettingsError(TaishiError):
    """The operator must change something (a setting, a file, an argument); retrying is useless."""


class OutdatedState(TaishiError):  # noqa: N818 - names what was found
    """A stored state has a form that this release does not read; it can be made anew from the log."""


class Backpressure(TaishiError):  # noqa: N818 - it is a signal to wait, not a failure
    """The other side cannot take more now: wait `retry_after_s`, then send the same again."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Refused(TaishiError):  # noqa: N818 - names what the other side did
    """The other side will never take this piece of data; the rest of its batch may be fine."""


def received_allowed(what: str, received: object, allowed: Iterable[object]) -> str:
    """One wording for every refusal: `grid kind: received 'x', allowed: base, dedicated`."""
    return f"{what}: received {received!r}, allowed: {', '.join(str(a) for a in allowed)}"
