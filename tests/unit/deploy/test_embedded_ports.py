"""Ports: a taken one is named with its holder and the setting that moves it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from deploy.embedded.parts import Part
from deploy.embedded.ports import SCRATCH_PORTS, check_ports, free_ports, holder, is_free
from schemas.errors import SettingsError


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_port_somebody_listens_on_is_not_free(taken: int) -> None:
    assert not is_free(taken)


def test_the_holder_is_named_with_its_pid(taken: int) -> None:
    assert f"pid {os.getpid()}" in holder(taken)


def test_the_error_names_part_port_holder_and_setting(taken: int) -> None:
    part = Part("kafka", ("java",), "kafka", ports={"kafka_port": taken})
    with pytest.raises(
        SettingsError, match=rf"kafka: port {taken} is held by .*pid {os.getpid()}.*TAISHI_KAFKA_PORT"
    ):
        check_ports([part])


def test_free_ports_are_free_and_different() -> None:
    ports = free_ports(5)
    assert len(set(ports)) == 5
    assert all(map(is_free, ports))


def test_consecutive_ports_are_consecutive() -> None:
    ports = free_ports(20, consecutive=True)
    assert ports == list(range(ports[0], ports[0] + 20))


def test_scratch_ports_are_of_the_range_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SCRATCH_PORTS, "26000-26400")
    ports = [port for _ in range(20) for port in free_ports(20, consecutive=True)]
    assert 26_000 <= min(ports) <= max(ports) < 26_400
