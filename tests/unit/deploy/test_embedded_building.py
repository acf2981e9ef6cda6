"""Building into the cache: whole or not at all; no space, no network and a broken build say what to do."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from deploy.embedded import fetch
from deploy.embedded.building import BuildError, built, check_space


def test_a_build_appears_whole_and_only_once(tmp_path: Path) -> None:
    calls = []

    def build(target: Path) -> None:
        calls.append(target)
        (target / "program").write_text("x")

    assert built(tmp_path, "kafka-1", build) == built(tmp_path, "kafka-1", build) == tmp_path / "kafka-1"
    assert (tmp_path / "kafka-1" / "program").read_text() == "x"
    assert len(calls) == 1


def test_a_failed_build_leaves_nothing_and_can_be_tried_again(tmp_path: Path) -> None:
    def fail(target: Path) -> None:
        (target / "half").write_text("x")
        raise BuildError("no")

    with pytest.raises(BuildError, match="no"):
        built(tmp_path, "kafka-1", fail)
    assert [path.name for path in tmp_path.iterdir()] == [".kafka-1.lock"]
    assert built(tmp_path, "kafka-1", lambda _target: None).is_dir()


def test_a_full_disk_is_called_so(tmp_path: Path) -> None:
    def fill(target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(BuildError, match=r"disk full while building .*free space"):
        built(tmp_path, "kafka-1", fill)


def test_too_little_space_is_refused_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = SimpleNamespace(total=10, used=9, free=1024**3)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    with pytest.raises(BuildError, match=r"1\.0 GiB free at .*, 2\.0 GiB needed.*TAISHI_CACHE"):
        check_space(tmp_path)


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("go: dial tcp: lookup proxy: no such host", "needs the network"),
        ("write /x: no space left on device", "disk full"),
        ("main.go:1: undefined: x", r"go install .* failed: main\.go:1"),
    ],
)
def test_what_go_says_becomes_what_to_do(tmp_path: Path, printed: str, expected: str) -> None:
    with pytest.raises(BuildError, match=expected):
        raise BuildError(fetch._go_error(fetch.PRISM, printed, tmp_path))


def test_a_full_cache_needs_no_network(tmp_path: Path) -> None:
    for artifact in fetch.ARTIFACTS.values():
        fetch.folder_of(artifact, tmp_path).mkdir()
    said: list[str] = []
    fetch.fetch(list(fetch.ARTIFACTS.values()), tmp_path, lambda what, now: said.append(what + now))
    assert said == []
