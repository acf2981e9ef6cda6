"""The `q` of NGSI-LD as far as it is understood: comparisons of attributes, joined by `;` (and). Pure.

Understood: `name` (it is there), `name==v`, `!=`, `>`, `>=`, `<`, `<=`, with v a number, `true`, `false` or
"text". Alternatives (`|`, parentheses, lists, ranges), patterns and paths are refused as not supported.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from operations.outgoing.problems import Problem

__all__ = ["Condition", "conditions"]

_TERM: Final = re.compile(r"(?P<name>[A-Za-z]\w*)\s*(?:(?P<sign>==|!=|>=|<=|>|<)\s*(?P<value>.+))?", re.ASCII)
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?", re.ASCII)
_SIGNS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_TEXT: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_BEYOND: Final = ("|", "(", ")", "~=", "[", "]", "..", ",")


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison; without a `sign` the attribute must be there."""

    name: str
    sign: str = ""
    value: float | bool | str = ""

    def holds(self, entity: dict[str, Any]) -> bool:
        """Whether it is true of a normalized entity; never of an attribute that is not there."""
        attribute = entity.get(self.name)
        if not isinstance(attribute, dict) or not self.sign:
            return isinstance(attribute, dict)
        content = attribute.get("value", attribute.get("object"))
        if not _comparable(content, self.value):
            return self.sign == "!="
        return _SIGNS[self.sign](content, self.value)


def conditions(q: str) -> tuple[Condition, ...]:
    """All of a `q`; Problem for what is none, or beyond what is understood."""
    bare = _TEXT.sub('""', q)
    beyond = [sign for sign in _BEYOND if sign in bare]
    if beyond:
        allowed = 'comparisons (== != > >= < <=) of numbers, true, false and "text", joined by ;'
        raise Problem("OperationNotSupported", f"q: received {beyond[0]!r}, allowed: {allowed}")
    texts = iter(_TEXT.findall(q))
    return tuple(_condition(re.sub('""', lambda _: next(texts), part)) for part in bare.split(";"))


def _condition(term: str) -> Condition:
    found = _TERM.fullmatch(term.strip())
    if found is None:
        raise Problem("BadRequestData", f"q: received {term!r}, allowed: such as availableSpotNumber>=5")
    if found["sign"] is None:
        return Condition(found["name"])
    return Condition(found["name"], found["sign"], _value(found["value"].strip()))


def _value(text: str) -> float | bool | str:
    if text in {"true", "false"}:
        return text == "true"
    if _NUMBER.fullmatch(text):
        return float(text)
    if _TEXT.fullmatch(text):
        try:
            return str(json.loads(text))
        except ValueError as error:
            raise Problem("BadRequestData", f"q: received {text}, allowed: a JSON string") from error
    if re.fullmatch(r"[\w:.+-]+", text):
        return text  # a URI or a date, as the specification writes them: bare
    raise Problem("BadRequestData", f'q: received {text!r}, allowed: a number, true, false or "text"')


def _comparable(content: object, value: object) -> bool:
    flags = isinstance(content, bool), isinstance(value, bool)
    if any(flags):
        return all(flags)
    numbers = isinstance(content, int | float), isinstance(value, int | float)
    return all(numbers) if any(numbers) else isinstance(content, str)
