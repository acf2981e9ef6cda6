"""The rule file of a running job: what is in force, and what was wrong with what was to be.

A changed file comes into force without a restart. A wrong one does not: the set before it stays, and the
problem is logged once and kept in `problem` until the file is right again.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import structlog

from pipelines import telemetry
from pipelines.kernels.rules.load import load_rules
from pipelines.kernels.rules.model import RuleSet
from schemas.errors import SettingsError

__all__ = ["SHIPPED_RULES", "RuleFile", "read_rules"]

SHIPPED_RULES: Final = Path(__file__).resolve().parents[1] / "rules.toml"
"""The set that comes with the product."""
_LOG = structlog.get_logger(__name__)
_LOOK_S: Final = 1.0


def read_rules(path: Path) -> RuleSet:
    """Read and check a rule file; SettingsError says what to change, a line for each problem."""
    return load_rules(_text(path), str(path))


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"rules_file {path}: {error}") from error


class RuleFile:
    """One rule file, looked at again at most once a second; SettingsError if it is wrong at the start."""

    def __init__(self, path: Path, now_s: float) -> None:
        self.path = path
        self.problem: str | None = None
        self._looked_s = now_s
        self._stamp = self._stat()
        text = _text(path)
        self._digest = _digest(text)
        self._take(load_rules(text, str(path)))

    def current(self, now_s: float) -> RuleSet:
        """The rules in force at a monotonic time, s; the same object as long as they do not change."""
        if now_s - self._looked_s >= _LOOK_S:
            self._looked_s = now_s
            stamp = self._stat()
            if stamp != self._stamp:
                self._stamp = stamp
                self._reload()
        return self._rules

    def _stat(self) -> tuple[int, int, int] | None:
        """What changes when the file does; None: there is none. Taken before the file is read."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _reload(self) -> None:
        try:
            text = _text(self.path)
            digest = _digest(text)
            rules = self._rules if digest == self._digest else load_rules(text, str(self.path))
        except SettingsError as error:
            self._refuse(str(error))
            return
        self.problem = None
        if digest != self._digest:
            self._digest = digest
            self._take(rules)
            _LOG.info("rules in force", path=str(self.path), rules=len(rules.rules))

    def _take(self, rules: RuleSet) -> None:
        self._rules = rules
        telemetry.RULES_IN_FORCE.set(len(rules.rules))

    def _refuse(self, problem: str) -> None:
        telemetry.RULES_REFUSED.inc()
        if problem != self.problem:
            _LOG.error("rules refused, the set before stays in force", path=str(self.path), problem=problem)
        self.problem = problem


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
