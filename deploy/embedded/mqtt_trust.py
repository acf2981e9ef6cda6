"""Who may do what at the embedded MQTT broker: the rules, without sockets or files.

A user publishes to its own topics and subscribes to nothing; only a connector subscribes. A password is
kept as Mosquitto keeps it, `$7$<iterations>$<salt>$<hash>` (PBKDF2-HMAC-SHA512, base64), so that one
senders file serves both brokers. The passwords are 256 random bits: many iterations would add nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from paho.mqtt.client import topic_matches_sub

__all__ = ["MqttUser", "MqttUsers", "hash_password", "own_topics", "password_fits"]

_ITERATIONS: Final = 101
_ITERATIONS_MAX: Final = 10_000
_SALT_BYTES: Final = 12
_HASH_BYTES: Final = 64


@dataclass(frozen=True, slots=True)
class MqttUser:
    """One credential: publishes to `topics` (filters; a level `%u` is its name), subscribes or not."""

    name: str
    password: str
    topics: tuple[str, ...]
    subscribes: bool = False


def hash_password(password: str, salt: bytes | None = None, iterations: int = _ITERATIONS) -> str:
    """The form to keep; a new random salt unless one is given."""
    salt = secrets.token_bytes(_SALT_BYTES) if salt is None else salt
    made = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations, _HASH_BYTES)
    return f"$7${iterations}${base64.b64encode(salt).decode()}${base64.b64encode(made).decode()}"


def password_fits(password: str, kept: str) -> bool:
    """Whether it is the one that was kept; in constant time. False for a form that is not ours."""
    parts = kept.split("$")
    if len(parts) != 5 or parts[:2] != ["", "7"] or not parts[2].isdecimal():
        return False
    iterations = int(parts[2])
    if not 1 <= iterations <= _ITERATIONS_MAX:
        return False
    try:
        salt = base64.b64decode(parts[3], validate=True)
    except binascii.Error:
        return False
    return hmac.compare_digest(hash_password(password, salt, iterations).encode(), kept.encode())


def own_topics(user: MqttUser) -> tuple[str, ...]:
    """The user's filters, `%u` replaced."""
    return tuple(
        "/".join(user.name if level == "%u" else level for level in t.split("/")) for t in user.topics
    )


class MqttUsers:
    """The users of one broker."""

    def __init__(self, users: Iterable[MqttUser]) -> None:
        self._users = {user.name: user for user in users}
        self._topics = {user.name: own_topics(user) for user in self._users.values()}
        self._nobody = hash_password(secrets.token_hex())

    def lets_in(self, name: str | None, password: str | None) -> bool:
        """Whether the password is that user's; as slow for a name that is nobody's."""
        user = self._users.get(name or "")
        fits = password_fits(password or "", user.password if user else self._nobody)
        return fits and user is not None

    def topics(self, name: str | None) -> tuple[str, ...]:
        """What the user may publish to."""
        return self._topics.get(name or "", ())

    def may_publish(self, name: str | None, topic: str) -> bool:
        """Whether to this topic; never to one with wildcards in it."""
        if "+" in topic or "#" in topic:
            return False
        return any(topic_matches_sub(own, topic) for own in self.topics(name))

    def may_subscribe(self, name: str | None) -> bool:
        """Whether to anything; who may, may to all."""
        user = self._users.get(name or "")
        return user is not None and user.subscribes
