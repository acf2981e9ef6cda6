"""State file, logs, back-off and doctor: the small rules."""

from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from deploy.embedded import stack
from deploy.embedded.doctor import examine
from deploy.embedded.logs import LogLimits, RotatingLog, last_line, spared
from deploy.embedded.ports import free_ports
from deploy.embedded.runner import FIRST_DELAY_S, HEALTHY_RESET_S, LONGEST_DELAY_S, next_delay_s
from deploy.embedded.state import LOCK, PartState, StackState, is_running, read_state, write_state
from taishi.settings import Settings
from taishi.stack_settings import stack_settings


def test_a_part_that_keeps_dying_waits_twice_as_long_each_time_up_to_ten_seconds() -> None:
    delays, delay_s = [], 0.0
    for _ in range(7):
        delay_s = next_delay_s(delay_s, healthy_for_s=1.0)
        delays.append(delay_s)
    assert delays == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


@given(previous_s=st.floats(0, 1e6), healthy_for_s=st.floats(0, 1e9))
def test_a_delay_is_bounded_and_afresh_after_health(previous_s: float, healthy_for_s: float) -> None:
    delay_s = next_delay_s(previous_s, healthy_for_s)
    assert 0.0 < delay_s <= LONGEST_DELAY_S
    if healthy_for_s >= HEALTHY_RESET_S:
        assert delay_s == FIRST_DELAY_S


def test_the_state_is_replaced_whole(tmp_path: Path) -> None:
    assert read_state(tmp_path) is None
    parts = (PartState("kafka", "healthy", 1), PartState("topics", "done", 2))
    state = StackState(pid=7, written_ms=3, parts=parts)
    write_state(tmp_path, state)
    assert read_state(tmp_path) == state
    assert state.well
    assert state.part("topics").well
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]
    with pytest.raises(KeyError):
        state.part("redis")


def test_a_supervisor_runs_as_long_as_its_lock_is_held(tmp_path: Path) -> None:
    assert not is_running(tmp_path)
    (tmp_path / "pids").mkdir()
    lock = os.open(tmp_path / "pids" / LOCK, os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert is_running(tmp_path)
    os.close(lock)
    assert not is_running(tmp_path)


def test_a_log_is_bounded_and_keeps_the_newest(tmp_path: Path) -> None:
    log = RotatingLog(tmp_path / "kafka.log", LogLimits(keep_days=183, limit_bytes=300))
    for number in range(100):
        log.write(b"line %04d\n" % number)
    log.close()
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["kafka.log", "kafka.log.1", "kafka.log.2"]
    assert all(path.stat().st_size <= 100 for path in tmp_path.iterdir())
    assert last_line(tmp_path / "kafka.log") == "line 0099"
    assert last_line(tmp_path / "absent.log") == ""


@pytest.mark.parametrize("line_bytes", [1_000, 40_000])
def test_a_log_stays_for_its_days_and_goes_after_them(tmp_path: Path, line_bytes: int) -> None:
    """A line a day for two years: 183 days are there, and what is older only in a file with younger lines."""
    now_s = [0.0]
    log = RotatingLog(tmp_path / "desk.log", LogLimits(183, 200 * 2**20), clock=lambda: now_s[0])
    for day in range(730):
        now_s[0] = 86_400.0 * day
        log.write(b"%d" % day + b" " * line_bytes + b"\n")
        os.utime(tmp_path / "desk.log", (now_s[0], now_s[0]))
    log.close()
    days = {int(line) for path in tmp_path.iterdir() for line in path.read_bytes().split()}
    assert days >= set(range(730 - 183, 730))
    a_file_of_days = 8 * 2**20 // line_bytes
    assert min(days) >= 730 - 183 - 2 * a_file_of_days - 1


def test_a_log_that_must_go_before_its_days_is_told_with_the_settings_that_are_too_small(
    tmp_path: Path,
) -> None:
    log = RotatingLog(tmp_path / "kafka.log", LogLimits(keep_days=183, limit_bytes=300))
    with capture_logs() as told:
        for _ in range(50):
            log.write(b"x" * 50)
    log.close()
    assert {each["event"] for each in told} == {
        "log dropped before its days: log_limit_mib is too small for log_keep_days"
    }
    assert {(each["log"], each["files"], each["keep_days"]) for each in told} == {("kafka.log", 1, 183)}


@given(
    st.lists(st.tuples(st.integers(0, 500), st.floats(0, 400)), max_size=20),
    st.floats(1, 300),
    st.integers(3, 3000),
)
def test_of_the_older_files_the_newest_stay_as_far_as_days_and_room_go(
    files: list[tuple[int, float]], keep_days: float, limit_bytes: int
) -> None:
    newest_first = sorted(((size, -age * 86_400) for size, age in files), key=lambda each: -each[1])
    limits = LogLimits(keep_days, limit_bytes)
    stay, young = spared(newest_first, limits, 0.0)
    kept, gone = newest_first[:stay], newest_first[stay:]
    assert sum(size for size, _ in kept) + limits.file_bytes <= limit_bytes or not kept
    assert all(-changed_s < keep_days * 86_400 for _, changed_s in kept)
    assert young == sum(-changed_s < keep_days * 86_400 for _, changed_s in gone)
    if gone and young:  # it went for want of room
        assert sum(size for size, _ in newest_first[: stay + 1]) + limits.file_bytes > limit_bytes


def test_doctor_names_the_holder_of_a_taken_port_and_an_unreachable_address(tmp_path: Path) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        taken = server.getsockname()[1]
        settings = Settings(home=tmp_path, cache=tmp_path, influxdb_port=taken, kafka_address="127.0.0.1:1")
        findings = {finding.check: finding for finding in examine(stack_settings(settings), offline=True)}
    assert findings["port of influxdb"].level == "fail"
    assert f"pid {os.getpid()}" in findings["port of influxdb"].found
    assert "TAISHI_INFLUXDB_PORT" in findings["port of influxdb"].advice
    assert findings["kafka_address"].level == "fail"
    assert findings["prism 2.77.0"].level == "fail"
    assert findings["python"].level == "ok"


def test_a_supervisor_that_was_stopped_is_no_child_of_ours_any_more(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    settings = stack_settings(Settings(home=tmp_path, metrics_port=port))
    assert stack.up(settings, only=(), outlive=False)
    (supervisor,) = stack._STARTED
    assert stack.down(settings)
    assert supervisor.returncode is not None, "Python would say at its end that it still runs"
    assert stack._STARTED == []
