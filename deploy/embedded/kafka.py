"""Kafka 4 as one KRaft node: its settings, its storage and its command."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

from deploy.embedded.building import BuildError
from deploy.embedded.fetch import KAFKA, folder_of
from deploy.embedded.parts import Health, Part
from deploy.embedded.settings import StackSettings

__all__ = ["format_storage", "part", "properties"]

LARGEST_MESSAGE_BYTES: Final = 32 * 1024 * 1024
_CLUSTER_ID: Final = "dGFpc2hpLWVtYmVkZGVkIQ"  # base64 of 16 bytes; one node, so one id serves all


def part(settings: StackSettings, java: Path) -> Part:
    """The broker; it serves clients before it is healthy, so health asks it for its API versions."""
    return Part(
        name="kafka",
        command=(*_java(settings, java), "kafka.Kafka", str(_properties_file(settings))),
        log="kafka",
        health=Health("kafka", settings.kafka_port),
        ports={"kafka_port": settings.kafka_port, "kafka_controller_port": settings.kafka_controller_port},
        environment={"LC_ALL": "C.UTF-8"},
        stop_limit_s=30.0,
    )


def properties(settings: StackSettings) -> dict[str, str]:
    """server.properties: one node, loopback only, the log's own clock, no topic by accident."""
    client = f"127.0.0.1:{settings.kafka_port}"
    controller = f"127.0.0.1:{settings.kafka_controller_port}"
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.bootstrap.servers": controller,
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{client},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{client}",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "log.dirs": str(settings.data / "kafka"),
        "auto.create.topics.enable": "false",
        "log.message.timestamp.type": "LogAppendTime",
        "message.max.bytes": str(LARGEST_MESSAGE_BYTES),
        "replica.fetch.max.bytes": str(LARGEST_MESSAGE_BYTES),
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        # After a kill -9 the controller refuses the broker until its former session has run out.
        "broker.session.timeout.ms": "4000",
        "broker.heartbeat.interval.ms": "500",
        "group.initial.rebalance.delay.ms": "0",
        "num.network.threads": "2",
        "num.io.threads": "4",
        "num.recovery.threads.per.data.dir": "2",
        # A batch of the largest message must fit the cleaner's buffers, which grow to it by themselves.
        "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
        "log.cleaner.io.buffer.size": str(512 * 1024),
    }


def format_storage(settings: StackSettings, java: Path) -> None:
    """Write server.properties and format the storage when it is new.

    Raises:
        BuildError: Kafka's own tool refused; the message ends with what it said.
    """
    file = _properties_file(settings)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{name}={value}\n" for name, value in properties(settings).items()))
    if (settings.data / "kafka" / "meta.properties").is_file():
        return
    tool = ["kafka.tools.StorageTool", "format", "--standalone", "-t", _CLUSTER_ID, "-c", str(file)]
    done = subprocess.run(
        [*_java(settings, java), *tool], capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    if done.returncode:
        printed = (done.stdout + done.stderr).strip()
        raise BuildError(f"cannot format Kafka's storage in {settings.data / 'kafka'}: {printed[-500:]}")


def _properties_file(settings: StackSettings) -> Path:
    return settings.data / "kafka.properties"


def _java(settings: StackSettings, java: Path) -> tuple[str, ...]:
    jars = folder_of(KAFKA, settings.cache)
    return (
        str(java),
        "-Xmx512m",
        "-Xms128m",
        "-XX:+UseG1GC",
        "-XX:MaxGCPauseMillis=50",
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.awt.headless=true",
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSX",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-cp",
        f"{jars}/*",
    )
