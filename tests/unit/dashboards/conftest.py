"""Boards of the default settings, built once."""

from __future__ import annotations

import pytest

from dashboards.model import Board
from taishi.boards import boards_of
from taishi.settings import Settings


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Board, ...]:
    return boards_of(Settings(home=tmp_path_factory.mktemp("home")))
