"""The senders file: who may send over HTTP and MQTT. TOML, mode 0600, one entry a sender.

    [[sender]]
    name = "camera-7"
    paths = ["/hikvision"]
    topics = []
    subscribes = false
    token_sha256 = "…"

`token_sha256` (hex) or `hmac_key` (base64) is for HTTP, `password` (`$7$…`, as Mosquitto keeps it) for
MQTT. Tokens and passwords are kept as hashes only; an HMAC key has to be kept itself, hence the mode.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import fcntl
import hashlib
import json
import os
import re
import secrets
import stat
import threading
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec
import structlog

from connectors.http.trust import Sender, Trust
from deploy.embedded.mqtt_trust import MqttUser, hash_password
from schemas.durable import put_in_place
from schemas.errors import SettingsError

__all__ = ["Entry", "editing", "follow", "new_entry", "read", "trust_of", "users_of"]

_LOG = structlog.get_logger(__name__)
_LOOK_S: Final = 2.0
_MODE: Final = 0o600
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PATH: Final = re.compile(r"/[^\s{}?#]*")
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_PASSWORD: Final = re.compile(r"\$7\$[0-9]{1,7}\$[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+")
_KEY_BYTES: Final = 32


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One sender as the file has it; empty is absent."""

    name: str
    paths: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    subscribes: bool = False
    token_sha256: str = ""
    hmac_key: str = ""
    password: str = ""

    @property
    def schemes(self) -> tuple[str, ...]:
        """How it shows who it is: `token`, `hmac`, `mqtt`."""
        shown = {"token": self.token_sha256, "hmac": self.hmac_key, "mqtt": self.password}
        return tuple(name for name, secret in shown.items() if secret)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sender: tuple[Entry, ...] = ()


def read(path: Path) -> tuple[Entry, ...]:
    """The file's entries, checked. SettingsError says what is wrong and never quotes a secret."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = file.read().decode()
    except FileNotFoundError as error:
        raise SettingsError(
            f"senders_file {path} does not exist; make it with: taishi senders add"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"senders_file {path}: {type(error).__name__}") from error
    if mode & ~_MODE:
        raise SettingsError(
            f"senders_file {path}: received mode {mode:04o}, allowed: 0600 (it holds keys): chmod 600 {path}"
        )
    try:
        entries = msgspec.convert(tomllib.loads(text), _File).sender
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(f"senders_file {path}: {error}") from error
    for number, entry in enumerate(entries, 1):
        if (wrong := _wrong(entry)) is not None:
            raise SettingsError(f"senders_file {path}, sender {number}: {wrong}")
    if len({entry.name for entry in entries}) < len(entries):
        raise SettingsError(f"senders_file {path}: received a name twice, allowed: one entry a name")
    return entries


def _wrong(entry: Entry) -> str | None:
    paths, topics = list(entry.paths), list(entry.topics)
    token, key, password = entry.token_sha256, entry.hmac_key, entry.password
    checks = (
        (_NAME.fullmatch(entry.name), f"name: received {entry.name!r}, allowed: 1-64 of A-Z a-z 0-9 . _ -"),
        (all(map(_PATH.fullmatch, paths)), f"paths: received {paths}, allowed: such as /readings"),
        (all(map(_is_filter, topics)), f"topics: received {topics}, allowed: MQTT topic filters"),
        (entry.schemes, "received no secret, allowed: token_sha256, hmac_key or password"),
        (not token or _HASH.fullmatch(token), "token_sha256: allowed: 64 hex digits"),
        (not key or _is_key(key), f"hmac_key: allowed: base64 of {_KEY_BYTES} bytes or more"),
        (not password or _PASSWORD.fullmatch(password), "password: allowed: $7$… as Mosquitto keeps it"),
    )
    return next((text for good, text in checks if not good), None)


def _is_filter(topic: str) -> bool:
    levels = topic.split("/")
    special = [level for level in levels if any(c in level for c in "+#%")]
    plain = not any(c.isspace() or not c.isprintable() for c in topic)
    return bool(topic) and plain and set(special) <= {"+", "#", "%u"} and "#" not in levels[:-1]


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) >= _KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def new_entry(
    name: str,
    *,
    paths: Iterable[str] = (),
    topics: Iterable[str] = (),
    subscribes: bool = False,
    signs: bool = False,
    mqtt: bool = False,
) -> tuple[Entry, str]:
    """An entry with a new secret, and the secret: 256 random bits. SettingsError for what may not be."""
    secret = secrets.token_urlsafe(_KEY_BYTES)
    own = tuple(paths)
    entry = Entry(
        name=name,
        paths=own,
        topics=tuple(topics),
        subscribes=subscribes,
        token_sha256=hashlib.sha256(secret.encode()).hexdigest() if own and not signs else "",
        hmac_key=base64.b64encode(secret.encode()).decode() if signs else "",
        password=hash_password(secret) if mqtt else "",
    )
    if (wrong := _wrong(entry)) is not None:
        raise SettingsError(wrong)
    return entry, secret


@contextlib.contextmanager
def editing(path: Path) -> Iterator[list[Entry]]:
    """The entries to change; written whole, or not at all, when the block ends well. One editor at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        entries = list(read(path)) if path.exists() else []
        yield entries
        unfinished = path.with_name(path.name + ".part")
        with contextlib.suppress(FileNotFoundError):
            unfinished.unlink()
        made = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
        with os.fdopen(made, "w", encoding="utf-8") as file:
            file.write(_text(entries))
            file.flush()
            os.fsync(file.fileno())
        put_in_place(unfinished, path)
    finally:
        os.close(folder)


def _text(entries: Iterable[Entry]) -> str:
    """TOML: a JSON string, array or boolean is one as well."""
    lines = ["# Who may send. Made by `taishi senders`; mode 0600.\n"]
    for entry in entries:
        fields = {name: value for name, value in msgspec.structs.asdict(entry).items() if value}
        lines += ["\n[[sender]]\n", *(f"{name} = {json.dumps(value)}\n" for name, value in fields.items())]
    return "".join(lines)


def trust_of(entries: Iterable[Entry]) -> Trust:
    """What the HTTP door must know."""
    return Trust(
        Sender(e.name, e.paths, bytes.fromhex(e.token_sha256), base64.b64decode(e.hmac_key))
        for e in entries
        if e.token_sha256 or e.hmac_key
    )


def users_of(entries: Iterable[Entry]) -> tuple[MqttUser, ...]:
    """What an MQTT broker must know."""
    return tuple(MqttUser(e.name, e.password, e.topics, e.subscribes) for e in entries if e.password)


def follow(path: Path, use: Callable[[tuple[Entry, ...]], None]) -> None:
    """Read now and use it (SettingsError when that fails), then again in a thread whenever the file changes.

    What was read before stays in use when a later reading fails; the log says so once.
    """
    seen = _stamp(path)
    use(read(path))
    threading.Thread(target=_follow, args=(path, use, seen), name="senders", daemon=True).start()


def _follow(path: Path, use: Callable[[tuple[Entry, ...]], None], seen: object) -> None:
    never, failed = threading.Event(), ""
    while not never.wait(_LOOK_S):
        now = _stamp(path)
        if now == seen:
            continue
        try:
            entries = read(path)
            use(entries)
            seen, failed = now, ""
            _LOG.info("senders read", senders=len(entries))
        except SettingsError as error:
            if str(error) != failed:
                _LOG.error("senders kept as they were", error=str(error))
            failed = str(error)


def _stamp(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size, found.st_mode
