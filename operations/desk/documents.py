"""Answers that are plain structs: declared, described in the OpenAPI document, written as JSON; and 422.

Lists of thousands are written by msgspec as they are; nothing checks them a second time at run time, a test
holds them against the document instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from fastapi import FastAPI, Response
from fastapi.exceptions import RequestValidationError

__all__ = ["answers", "describe", "unfit", "written"]

_REF = "#/components/schemas/{name}"


def answers(kind: type, description: str = "As asked") -> dict[str, Any]:
    """What a route is declared with that answers with such a struct."""
    schema = {"$ref": _REF.format(name=kind.__name__)}
    content = {"application/json": {"schema": schema}}
    return {
        "response_class": Response,
        "responses": {200: {"description": description, "content": content}},
    }


def written(answer: msgspec.Struct) -> Response:
    """The answer as JSON."""
    return Response(msgspec.json.encode(answer), media_type="application/json")


def unfit(field: str, words: str, where: str = "body") -> RequestValidationError:
    """422 about a field, as the document says them: for what only the desk knows to be wrong."""
    return RequestValidationError([{"loc": (where, field), "msg": words, "type": "value_error"}])


def describe(app: FastAPI, kinds: Iterable[type]) -> None:
    """Put the structs, and what they are made of, into the application's document."""
    _, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    made = app.openapi

    def openapi() -> dict[str, Any]:
        document = made()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        if clash := {name for name in components if schemas.get(name, components[name]) != components[name]}:
            raise RuntimeError(f"two answers of one name: {', '.join(sorted(clash))}")
        schemas.update(components)
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI says to
