"""What people did with an alert, and what happened to a case: the topic `acts`, key = the id of either.

One record an act, never changed, in the order in which they came to count. It is there at least once: a
repeat has the same `id`. Of one key the act with the higher `number` is the later one.
"""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["Act"]


class Act(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One act. `of`: of what; `alert` or `case` is its id, "" for an act on a device, or a rule in a place.

    `verb` is one of the desk's (`acknowledge`, `shelve` …) or of the case's workflow; `by` the person as the
    desk names them, `system` where nobody did it. `second`: the other person where two are needed.
    `until_ms`: when what it begins ends by itself (0: never). Of a case further: `version` after the act,
    from which state to which, in which `role`, from which `terminal`, and what the verb was `given`, by name.
    """

    id: str
    number: int
    of: Literal["alert", "case"]
    verb: str
    by: str
    at_ms: int
    alert: str = ""
    case: str = ""
    rule: str = ""
    place: str = ""
    device: str = ""
    why: str = ""
    second: str = ""
    until_ms: int = 0
    workflow: str = ""
    category: str = ""
    version: int = 0
    from_state: str = ""
    to_state: str = ""
    role: str = ""
    terminal: str = ""
    given: dict[str, str] = {}
