"""Sizes of the security tests: a tenth in `make test`, whole with `make test-security`."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest


@pytest.fixture(scope="session")
def sized() -> Callable[[int], int]:
    """How many of a whole number a run makes, at least one."""
    share = float(os.environ.get("TAISHI_SECURITY_SHARE", "0.1"))
    return lambda whole: max(1, round(whole * share))
