"""`taishi topics`: create, verify, list."""

from __future__ import annotations

import json

import click
from confluent_kafka.admin import AdminClient

import taishi.topics as kafka_topics
from schemas.brokers import kafka_client
from schemas.topics import TOPICS
from taishi.kafka import kafka_of
from taishi.settings import load_settings

__all__ = ["topics"]


@click.group()
def topics() -> None:
    """Create and verify the Kafka topics; `taishi up` does this for you."""


@topics.command()
@click.option("--replication", default=1, show_default=True, type=click.IntRange(1), help="copies of each")
def create(replication: int) -> None:
    """Make the missing topics; refuse when one is there with other settings."""
    made = kafka_topics.create(kafka_of(load_settings()), replication=replication)
    click.echo(f"created: {', '.join(made) or 'none'}; verified: {len(TOPICS) - len(made)}")


@topics.command()
def verify() -> None:
    """Exit 0 when every topic is there and as declared; else name each difference."""
    present = _present()
    absent = [name for name in TOPICS if name not in present]
    if absent:
        raise kafka_topics.TopicsError(f"missing topics: {', '.join(absent)}; run `taishi topics create`")
    kafka_topics.verify(present, TOPICS.values())
    click.echo(f"{len(TOPICS)} topics are as declared")


@topics.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="one JSON list")
def list_(as_json: bool) -> None:
    """Every declared topic, and whether Kafka has it as declared."""
    present = _present()
    rows = [
        {
            "topic": topic.name,
            "partitions": topic.partitions,
            "key": topic.key,
            "value": topic.value,
            "config": topic.config,
            "present": topic.name in present,
            "differences": kafka_topics.differences(topic, *present[topic.name])
            if topic.name in present
            else [],
        }
        for topic in TOPICS.values()
    ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        state = "; ".join(row["differences"]) or "ok" if row["present"] else "missing"  # type: ignore[arg-type]
        click.echo(f"{row['topic']:<24} {row['partitions']:>2}  {row['key']} → {row['value']}: {state}")


def _present() -> kafka_topics.Found:
    bootstrap = kafka_of(load_settings())
    client = AdminClient({**kafka_client(bootstrap), "log_level": 0})
    return kafka_topics.found(client, bootstrap, TOPICS.values())
