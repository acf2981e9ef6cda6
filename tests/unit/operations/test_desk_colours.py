"""The theme of the desk's client: contrast of WCAG 2.1 AA, and severities that differ also in lightness."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from operations.desk import client

THEME = Path(client.__file__).with_name("web").joinpath("theme.css").read_text("utf-8")
TOKENS = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", THEME))
GROUNDS = ("ground", "panel", "raised")
WORDS = ("text", "dim", "faint", "accent", "life-safety", "high", "medium", "low", "good", "simulated")
TEXT, SHAPE = 4.5, 3.0
"""Least contrast of text (1.4.3) and of what is no text, such as the edge of a field (1.4.11)."""


def luminance(colour: str) -> float:
    """WCAG's relative luminance."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(TOKENS[one]), luminance(TOKENS[other])))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("word", WORDS)
def test_words_can_be_read_on_every_ground(word, ground):
    assert contrast(word, ground) >= TEXT


def test_buttons_banners_and_edges_can_be_made_out():
    assert contrast("on-accent", "accent") >= TEXT
    assert contrast("on-alarm", "alarm") >= TEXT
    assert min(contrast("control", ground) for ground in GROUNDS) >= SHAPE
    assert min(contrast("accent", ground) for ground in GROUNDS) >= SHAPE  # the focus


def test_without_colour_the_more_urgent_still_differs():
    """Life safety, high, medium: each lighter than the one before, so grey tells them too."""
    shades = [luminance(TOKENS[each]) for each in ("life-safety", "high", "medium")]
    assert all(after / before > 1.15 for before, after in pairwise(shades))
