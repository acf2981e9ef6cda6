"""Refusals as NGSI-LD says them: RFC 7807 problem details with the error types of ETSI GS CIM 009. Pure."""

from __future__ import annotations

from typing import Any, Final, Literal

__all__ = ["Problem", "Title"]

Title = Literal[
    "BadRequestData",
    "InvalidRequest",
    "ResourceNotFound",
    "OperationNotSupported",
    "TooManyResults",
    "NonexistentTenant",
    "InternalError",
]
_STATUS: Final[dict[str, int]] = {
    "BadRequestData": 400,
    "InvalidRequest": 400,
    "ResourceNotFound": 404,
    "OperationNotSupported": 422,
    "TooManyResults": 403,
    "NonexistentTenant": 404,
    "InternalError": 500,
}


class Problem(Exception):  # noqa: N818 - it is an answer, named as the specification does
    """Why a request gets no result; `detail` names what was received and what is allowed."""

    def __init__(self, title: Title, detail: str, status: int | None = None) -> None:
        super().__init__(detail)
        self.title, self.detail = title, detail
        self.status = status or _STATUS[title]

    def document(self) -> dict[str, Any]:
        """The body of the answer."""
        kind = f"https://uri.etsi.org/ngsi-ld/errors/{self.title}"
        return {"type": kind, "title": self.title, "status": self.status, "detail": self.detail}
