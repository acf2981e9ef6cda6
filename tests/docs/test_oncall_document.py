"""The on-call file of the document is one, and says of itself what the document says."""

import re
import tomllib
from pathlib import Path

from operations.alerts.kpis import LIMITS
from operations.oncall.load import parse_oncall
from operations.oncall.model import OnCall

ROOT = Path(__file__).resolve().parents[2]


def example():
    text = (ROOT / "docs" / "oncall.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return parse_oncall(tomllib.loads(block))


def test_the_example_is_taken_and_what_it_spells_out_are_the_defaults():
    found = example()
    assert [route.name for route in found.routes] == [
        "urgent",
        "security of 香港中路 at night",
        "doors by day",
    ]
    plain = OnCall({}, ())
    for name in ("working_hours", "shifts", "max_shelve_s", "flood"):
        assert getattr(found, name) == getattr(plain, name), name


def test_the_limits_of_the_load_are_those_of_the_code():
    text = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:-1] for line in text.splitlines() if re.match(r"\| K\d", line)]
    named = [name for names, *_ in rows for name in names.split()]
    assert named == list(LIMITS)
    for names, _, acceptable, manageable in rows:
        for limit, column in (("acceptable", acceptable), ("manageable", manageable)):
            numbers = re.findall(r"\d+", column)
            for name, number in zip(
                names.split(), numbers * (len(names.split()) // max(1, len(numbers))), strict=False
            ):
                assert getattr(LIMITS[name], limit) == int(number), name
