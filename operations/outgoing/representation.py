"""The forms of an entity: normalized, concise, simplified (keyValues); with some attributes only. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

__all__ = ["Form", "attributes", "projected", "shown"]

Form = Literal["normalized", "concise", "simplified"]
_CONTENT = {"Property": "value", "GeoProperty": "value", "Relationship": "object"}


def attributes(entity: dict[str, Any]) -> dict[str, Any]:
    """The entity without `id` and `type`."""
    return {name: value for name, value in entity.items() if name not in {"id", "type"}}


def projected(entity: dict[str, Any], wanted: Collection[str]) -> dict[str, Any] | None:
    """The entity with the wanted attributes; None if it has none of them. Nothing wanted is all."""
    if not wanted:
        return entity
    kept = {name: value for name, value in attributes(entity).items() if name in wanted}
    return {"id": entity["id"], "type": entity["type"]} | kept if kept else None


def shown(entity: dict[str, Any], form: Form) -> dict[str, Any]:
    """A normalized entity in another form."""
    if form == "normalized":
        return entity
    change = _simplified if form == "simplified" else _concise
    head = {"id": entity["id"], "type": entity["type"]}
    return head | {name: change(value) for name, value in attributes(entity).items()}


def _simplified(attribute: dict[str, Any]) -> Any:
    return attribute[_CONTENT[attribute["type"]]]


def _concise(attribute: dict[str, Any]) -> Any:
    """Without `type`, which the member tells; a Property that says nothing but its value is that value."""
    rest = {name: value for name, value in attribute.items() if name != "type"}
    if attribute["type"] == "Property" and rest.keys() == {"value"}:
        return rest["value"]
    if attribute["type"] == "GeoProperty" and rest.keys() == {"value"}:
        return rest["value"]
    return rest
