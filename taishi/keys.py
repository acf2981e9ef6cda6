"""Where this installation's keys are, and the guard they make."""

from __future__ import annotations

from pathlib import Path

from connectors.privacy.guard import KeyedGuard
from connectors.privacy.keys import KeyFile, Keys, create_keys, read_keys
from taishi.settings import Settings

__all__ = ["guard_of", "key_file", "keys_of"]


def key_file(settings: Settings) -> Path:
    """The file of the settings, or the embedded installation's own, beside its data and never in it."""
    return settings.keys_file or settings.home / "keys.json"


def keys_of(settings: Settings) -> Keys | None:
    """The keys; None where this machine has none, and so can open nothing."""
    path = key_file(settings)
    return read_keys(path) if path.exists() else None


def guard_of(settings: Settings) -> tuple[KeyedGuard, KeyFile]:
    """The guard of a door, and its file for whoever follows it.

    The embedded installation makes its first key by itself. A file that was named must be there: with
    another key than the other doors' the same person would have two names.
    """
    path = key_file(settings)
    if settings.keys_file is None:
        create_keys(path)
    file = KeyFile(path)
    return KeyedGuard(file), file
