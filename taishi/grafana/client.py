"""A Grafana over its HTTP API, through `grafana-client`: what a push of boards asks; errors to act on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import requests
from grafana_client import GrafanaApi
from grafana_client.client import GrafanaClientError, GrafanaException, GrafanaServerError, TokenAuth

from dashboards.push import Held
from schemas.errors import Refused, SettingsError

__all__ = ["Conflict", "Grafana", "GrafanaSettings"]

Answer = TypeVar("Answer")

_NOT_FOUND: Final = 404
_FOR_US: Final = {
    401: "the token was not accepted; allowed: that of a service account of this Grafana (grafana_token)",
    403: "the token may not do this; allowed: a service account with the role Editor, or with "
    "dashboards:write, dashboards:create, folders:read and folders:create",
}


class Conflict(Refused):
    """Grafana holds another version than the one looked at: somebody saved meanwhile."""


@dataclass(frozen=True, slots=True)
class GrafanaSettings:
    """Where, who, and whose certificates: `ca_file` (PEM) where the system does not know the signer."""

    url: str
    token: str
    ca_file: Path | None = None
    timeout_s: float = 10.0

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise SettingsError(
                f"grafana_address: received {self.url!r}, allowed: http(s)://HOST[:PORT][/PATH], "
                "the token apart from it"
            )
        if not self.token:
            raise SettingsError("grafana_token: received nothing, allowed: the token of a service account")


class Grafana:
    """One Grafana. SettingsError where waiting does not help; Refused with what it said against a board."""

    def __init__(self, settings: GrafanaSettings) -> None:
        self.settings = settings
        parts = urlsplit(settings.url)
        path = parts.path.strip("/")
        self._api = GrafanaApi(
            TokenAuth(settings.token),
            host=str(parts.hostname),
            port=parts.port,
            url_path_prefix=f"{path}/" if path else "",
            protocol=parts.scheme,
            verify=str(settings.ca_file) if settings.ca_file else True,
            timeout=settings.timeout_s,
        )

    def close(self) -> None:
        """Give the connections back."""
        self._api.client.s.close()

    def release(self) -> str:
        """Its release; proof that it is a Grafana and is well."""
        health = self._asked("health", self._api.health.check)
        if not isinstance(health, Mapping) or "version" not in health:
            raise SettingsError(
                f"{self.settings.url}: received {str(health)[:100]!r}, expected a Grafana's health"
            )
        if health.get("database") != "ok":
            raise SettingsError(f"{self.settings.url}: Grafana is not well: {health}")
        return str(health["version"])

    def folder(self, uid: str) -> str | None:
        """The title of a folder; None if there is none of that uid."""
        found = self._found(f"folder {uid}", lambda: self._api.folder.get_folder(uid))
        return None if found is None else str(found["title"])

    def make_folder(self, uid: str, title: str) -> None:
        """Make it; Refused if it is there already."""
        self._asked(f"folder {uid}", lambda: self._api.folder.create_folder(title, uid))

    def board(self, uid: str) -> Held | None:
        """What it holds under a uid."""
        found = self._found(f"board {uid}", lambda: self._api.dashboard.get_dashboard(uid))
        if found is None:
            return None
        newest = self._newest_version(uid)
        folder = str(found.get("meta", {}).get("folderUid", ""))
        told = {name: str(newest.get(key, "")) for name, key in _OF_VERSION.items()}
        return Held(found["dashboard"], folder, **told)

    def _newest_version(self, uid: str) -> Mapping[str, Any]:
        told = self._asked(
            f"versions of {uid}",
            lambda: self._api.dashboard_versions.get_dashboard_versions_by_uid(uid),
        )
        versions = told.get("versions", []) if isinstance(told, Mapping) else told  # a list before Grafana 11
        newest: Mapping[str, Any] = max(versions, key=lambda each: int(each["version"]), default={})
        return newest

    def save(self, model: Mapping[str, Any], held: Held | None, how: Mapping[str, Any]) -> int:
        """Save a board over what is held; returns its version. `how`: folderUid, message, overwrite.

        Conflict when it is not `held` any more.
        """
        known = {"id": held.model.get("id"), "version": held.version} if held else {"id": None}
        body = {**how, "dashboard": {**model, **known}}
        saved = self._asked(f"board {model['uid']}", lambda: self._api.dashboard.update_dashboard(body))
        return int(saved["version"])

    def _found(self, what: str, ask: Callable[[], Answer]) -> Answer | None:
        """The answer; None where Grafana says that there is none."""
        try:
            return self._asked(what, ask)
        except _MissingError:
            return None

    def _asked(self, what: str, ask: Callable[[], Answer]) -> Answer:
        url = self.settings.url
        try:
            return ask()
        except GrafanaServerError as error:
            raise SettingsError(f"{what}: Grafana at {url} failed: {error.message}") from error
        except GrafanaClientError as error:
            raise _told(what, url, error) from error
        except requests.Timeout as error:
            raise SettingsError(
                f"{what}: Grafana at {url} did not answer within {self.settings.timeout_s:g} s"
            ) from error
        except requests.exceptions.SSLError as error:
            raise SettingsError(
                f"{what}: the certificate of {url} is not trusted: {error}; set grafana_ca_file"
            ) from error
        except requests.exceptions.JSONDecodeError as error:
            raise SettingsError(f"{what}: {url} answered no JSON; is it the address of a Grafana?") from error
        except requests.RequestException as error:
            raise SettingsError(f"{what}: Grafana at {url} cannot be reached: {error}") from error


_OF_VERSION: Final = {"note": "message", "by": "createdBy", "at": "created"}


class _MissingError(SettingsError):
    """There is none of that name."""


def _told(what: str, url: str, error: GrafanaException) -> Exception:
    """An answer from 400 to 499 as an error of ours."""
    status, said = error.status_code, error.response
    text = said.get("message", said) if isinstance(said, Mapping) else said
    if status == 412:
        reason = said.get("status", "") if isinstance(said, Mapping) else ""
        return Conflict(f"{what}: {text} ({reason or 'precondition failed'})")
    if status == _NOT_FOUND:
        if isinstance(said, Mapping):
            return _MissingError(f"{what}: Grafana at {url} has none")
        return SettingsError(f"{what}: {url} answered 404 without JSON; is it the address of a Grafana?")
    if status in _FOR_US:
        return SettingsError(f"{what}: Grafana at {url} answered {status}: {_FOR_US[status]}")
    return Refused(f"{what}: Grafana at {url} answered {status}: {text}")
