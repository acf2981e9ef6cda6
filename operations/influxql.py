"""Questions to InfluxDB in InfluxQL on `/query`, which 1.8, 2.x and 3 answer; nothing is written."""

from __future__ import annotations

from typing import Any, Final

import httpx

from schemas.errors import TaishiError

__all__ = ["InfluxQl", "Series", "UnavailableError"]

Series = dict[str, Any]
"""One series of an answer: `tags`, `columns` and `values` (rows; the first cell is the time in ms)."""

_NOT_THERE: Final = ("database not found", "retention policy not found")


class UnavailableError(TaishiError):
    """What is asked cannot be told now; it may be later."""


class InfluxQl:
    """Asks; may be used from any thread. `token` is a 2.x token or `user:password` of 1.8."""

    def __init__(
        self, url: str, token: str, timeout_s: float = 10.0, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._url = url
        headers = {"Authorization": f"Token {token}"} if token else {}
        self._http = httpx.Client(timeout=timeout_s, trust_env=False, headers=headers, transport=transport)

    def ask(self, database: str, *statements: str) -> list[list[Series]]:
        """The series of each statement, in one request; none of a database that is not there yet.

        UnavailableError when InfluxDB does not answer, or refuses.
        """
        answer = self._answer(database, ";".join(statements), "application/json")
        try:
            results: list[dict[str, Any]] = answer.json()["results"]
        except (ValueError, KeyError, TypeError) as error:
            raise UnavailableError(f"InfluxDB at {self._url}: {error or type(error).__name__}") from error
        return [self._series(result) for result in results]

    def csv(self, database: str, statement: str) -> bytes:
        """The rows of a SELECT as CSV: `name,tags,time,` and what is selected; b"" for none.

        Many times faster to read than JSON. What fails while InfluxDB answers its CSV does not tell: whoever
        must have all of it compares with a count. UnavailableError as `ask`.
        """
        return self._answer(database, statement, "application/csv").content.strip()

    def _answer(self, database: str, statements: str, accept: str) -> httpx.Response:
        try:
            answer = self._http.get(
                f"{self._url}/query",
                params={"db": database, "q": statements, "epoch": "ms"},
                headers={"Accept": accept},
            )
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise UnavailableError(f"InfluxDB at {self._url}: {error or type(error).__name__}") from error
        return answer

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def _series(self, result: dict[str, Any]) -> list[Series]:
        problem = str(result.get("error", ""))
        if problem and not problem.startswith(_NOT_THERE):
            raise UnavailableError(f"InfluxDB at {self._url}: {problem}")
        series: list[Series] = result.get("series", [])
        return series
