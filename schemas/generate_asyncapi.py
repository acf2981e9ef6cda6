"""The AsyncAPI 3.0 document of the topics: what each carries, under which key, and how it is kept."""

from __future__ import annotations

from typing import Any, Final

from schemas.kinds import DOMAINS, KINDS
from schemas.quarantine import Reason
from schemas.topics import (
    ACTS,
    ALERTS,
    CHECKPOINTS,
    CLAIMS,
    LATE,
    PRESENCE,
    QUARANTINE,
    SIGNALS,
    TOPICS,
    WINDOWS,
    Topic,
    readings_topic,
)

__all__ = ["asyncapi"]

_JSON_SCHEMA: Final = "application/schema+json;version=draft-2020-12"
_BINDING: Final = "0.5.0"
_TICK: Final = "tick"

_MESSAGES: Final[dict[str, tuple[str, ...]]] = {
    **{
        readings_topic(domain): (*(k.name for k in KINDS.values() if k.domain == domain), _TICK)
        for domain in DOMAINS
    },
    SIGNALS: ("signal", _TICK),
    WINDOWS: ("window", "progress"),
    PRESENCE: ("silence", "stillness", "pulse"),
    LATE: ("reading",),
    QUARANTINE: ("quarantined",),
    ALERTS: ("alert",),
    ACTS: ("act",),
    CHECKPOINTS: ("checkpoint",),
    CLAIMS: ("claim",),
}
"""Topic -> names of its messages."""


def asyncapi() -> dict[str, Any]:
    """The document; payload references are relative to `schemas/generated/`."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Taishi (态势)",
            "version": "1.0.0",
            "description": (
                "The Kafka topics of Taishi. All times are milliseconds since 1970, UTC; every topic keeps "
                "the broker's append time. Readers ignore fields they do not know."
            ),
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS.values()},
        "components": {"messages": _messages()},
    }


def _channel(topic: Topic) -> dict[str, Any]:
    return {
        "address": topic.name,
        "description": f"Key: {topic.key}. Value: {topic.value}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _MESSAGES[topic.name]},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {name: _typed(name, text) for name, text in topic.config.items()},
                "bindingVersion": _BINDING,
            }
        },
    }


def _typed(name: str, text: str) -> str | int | float | list[str]:
    """A Kafka setting as the binding wants it: policies as a list, numbers as numbers."""
    if name == "cleanup.policy":
        return text.split(",")
    try:
        return int(text)
    except ValueError:
        return float(text) if text.replace(".", "", 1).isdigit() else text


def _messages() -> dict[str, dict[str, Any]]:
    json_messages = {
        **{kind.name: (f"kinds/{kind.name}.json", "grid code", kind.description) for kind in KINDS.values()},
        "reading": ("reading.json", "reading id", "a reading that came too late to count"),
        "signal": ("signal.json", "grid code", "something that must reach a person now"),
        "window": ("window.json", "district code", "one upsert of one grid's window"),
        "progress": ("progress.json", "district code", "how far a shard has closed its windows"),
        "silence": ("silence.json", "district code", "a device says nothing, or is heard again"),
        "stillness": ("stillness.json", "district code", "a person does not move, or moves again"),
        "pulse": ("pulse.json", "district code", "what a shard heard in ten seconds"),
        "alert": ("alert.json", "alert id", "a call for a timely response"),
        "act": ("act.json", "alert or case id", "what somebody did with an alert, or happened to a case"),
    }
    return {
        **{name: _json_message(name, *facts) for name, facts in json_messages.items()},
        _TICK: _tick(),
        "quarantined": _quarantined(),
        "checkpoint": _checkpoint(),
        "claim": _claim(),
    }


def _key(description: str) -> dict[str, Any]:
    return {"kafka": {"key": {"type": "string", "description": description}, "bindingVersion": _BINDING}}


def _json_message(name: str, schema: str, key: str, summary: str) -> dict[str, Any]:
    return {
        "name": name,
        "summary": summary,
        "contentType": "application/json",
        "payload": {"schemaFormat": _JSON_SCHEMA, "schema": {"$ref": f"./{schema}"}},
        "bindings": _key(key),
    }


def _tick() -> dict[str, Any]:
    return {
        "name": _TICK,
        "summary": "lets a silent partition's clock go on; appended to every partition each second",
        "payload": {"type": "null"},
        "bindings": {"kafka": {"key": {"type": "string", "const": _TICK}, "bindingVersion": _BINDING}},
    }


def _quarantined() -> dict[str, Any]:
    headers = {
        "reason": {"type": "string", "enum": [reason.value for reason in Reason]},
        "detail": {
            "type": "string",
            "description": "what was received, what is allowed; sealed like the payload, and then not text",
        },
        "source": {"type": "string"},
        "address": {
            "type": "string",
            "description": "MQTT topic, HTTP path, file and line, shard and offset",
        },
        "received_at_ms": {"type": "string", "pattern": "^[0-9]+$"},
    }
    return {
        "name": "quarantined",
        "summary": "a message that could not be taken: the original bytes, untouched",
        "contentType": "application/octet-stream",
        "headers": {"type": "object", "required": list(headers), "properties": headers},
        "payload": {"type": "string", "format": "binary"},
        "bindings": _key("source"),
    }


def _checkpoint() -> dict[str, Any]:
    return {
        "name": "checkpoint",
        "summary": "the state of one shard and the offset it goes on from; read by Taishi's own jobs only",
        "contentType": "application/octet-stream",
        "payload": {"type": "string", "format": "binary"},
        "bindings": _key("job/shard"),
    }


def _claim() -> dict[str, Any]:
    return {
        "name": "claim",
        "summary": "who owns a shard of a job from this record on; its offset is the epoch",
        "contentType": "application/json",
        "payload": {
            "type": "object",
            "required": ["job", "shard", "owner"],
            "properties": {name: {"type": "string"} for name in ("job", "shard", "owner")},
        },
        "bindings": _key("job/shard"),
    }
