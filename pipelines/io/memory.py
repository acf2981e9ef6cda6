"""Giving memory back: what a worker freed and its C library kept, in holes between what stays."""

from __future__ import annotations

import ctypes
from typing import Final

__all__ = ["give_back"]

# glibc's own; other C libraries give pages back by themselves.
_TRIM: Final = getattr(ctypes.CDLL(None), "malloc_trim", None)


def give_back() -> None:
    """Return free pages to the system (some ms); nothing where the C library does not know how."""
    if _TRIM is not None:
        _TRIM(0)
