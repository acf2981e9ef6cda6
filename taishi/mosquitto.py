"""Mosquitto from the same senders file: its configuration, its passwords and its access list as text.

Written against mosquitto.conf(5) of Mosquitto 2.0. What holds at the embedded broker holds here, but for
one thing that MQTT 3.1.1 leaves to a broker: a message to a foreign topic is dropped and confirmed, where
the embedded broker drops the connection instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from deploy.embedded.mqtt_trust import MqttUser, own_topics

__all__ = ["access_list", "configuration", "passwords"]

_PACKET_BYTES = 16 * 1024 * 1024
_IN_FLIGHT = 1000


def passwords(users: Iterable[MqttUser]) -> str:
    """The password file."""
    return "".join(f"{user.name}:{user.password}\n" for user in users)


def access_list(users: Iterable[MqttUser]) -> str:
    """The ACL file: each user writes its own topics; a connector reads all; nobody else reads."""
    lines = ["# Made by `taishi senders export-mosquitto`.\n"]
    for user in users:
        lines += [f"\nuser {user.name}\n", *(f"topic write {topic}\n" for topic in own_topics(user))]
        if user.subscribes:
            lines.append("topic read #\n")
    return "".join(lines)


def configuration(folder: Path, port: int, certificate: Path, key: Path) -> str:
    """mosquitto.conf: TLS only, nobody without a password, the name is the client id.

    With the name as the client id nobody ends another's connection by calling itself as it does; so a
    credential has one connection at a time.
    """
    return "\n".join(
        (
            "# Made by `taishi senders export-mosquitto`. It is read at the start and on SIGHUP.",
            "per_listener_settings false",
            "allow_anonymous false",
            f"password_file {folder / 'passwords'}",
            f"acl_file {folder / 'access'}",
            f"max_packet_size {_PACKET_BYTES}",
            "max_queued_messages 0",
            # A connector acknowledges when Kafka has it, milliseconds later: the default of 20 starves it.
            f"max_inflight_messages {_IN_FLIGHT}",
            # What belongs to a listener stands below it: above, it would open 1883 without TLS as well.
            f"listener {port}",
            "use_username_as_clientid true",
            f"certfile {certificate}",
            f"keyfile {key}",
            "tls_version tlsv1.2",
            "",
        )
    )
