"""Memory that a worker has freed and its C library keeps: in few places, and given back."""

from __future__ import annotations

import ctypes
from typing import Final

__all__ = ["give_back", "keep_few_arenas"]

# glibc's own; other C libraries give pages back by themselves.
_LIBC: Final = ctypes.CDLL(None)
_TRIM: Final = getattr(_LIBC, "malloc_trim", None)
_OPTION: Final = getattr(_LIBC, "mallopt", None)
_M_ARENA_MAX: Final = -8
_ARENAS: Final = 2


def keep_few_arenas() -> None:
    """Let all threads allocate from two places; call it before there are threads.

    Else glibc makes up to eight a core, and what each keeps free grows for half an hour: a worker has 35
    threads, most of them of Beam and of the Kafka client, and only one of them does much.
    """
    if _OPTION is not None and _TRIM is not None:  # others may know a mallopt that means something else
        _OPTION(_M_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Return free pages to the system (some ms); nothing where the C library does not know how."""
    if _TRIM is not None:
        _TRIM(0)
