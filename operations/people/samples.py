"""Words that make no password: what stands in examples, and what everybody tries first. Pure."""

from __future__ import annotations

from typing import Final

__all__ = ["is_sample"]

_KNOWN: Final = frozenset(
    {"password", "passw0rd", "admin", "administrator", "root", "taishi", "qingdao", "shinan", "letmein",
     "welcome", "changeme", "qwerty", "qwertyuiop", "iloveyou", "woaini", "default", "grafana", "influxdb",
     "example", "sample", "postgres", "mosquitto", "token"}
)  # fmt: skip
_RUN: Final = "01234567890"


def is_sample(password: str, *names: str) -> bool:
    """Whether it is one of those words or names, however padded with digits and signs or repeated.

    So is what has fewer than three different characters (`…`, `xxx`), and a run of digits.
    """
    core = "".join(filter(str.isalpha, password.lower()))
    taken = {*_KNOWN, *("".join(filter(str.isalpha, name.lower())) for name in names)} - {""}
    word = bool(core) and any(core.replace(each, "") == "" for each in taken)
    return word or len(set(password)) < 3 or password in _RUN
