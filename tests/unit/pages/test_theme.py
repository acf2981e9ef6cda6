"""Colours of the pages: readable, told apart without red and green, and no data never looks well."""

import colorsys
import re
from itertools import pairwise
from pathlib import Path

import pytest

WEB = Path(__file__).parents[3] / "operations" / "pages" / "web"
CSS = (WEB / "theme.css").read_text("utf-8")
TOKENS = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", CSS))
BANDS = [TOKENS[f"b{n}"] for n in range(6)]


def channels(colour):
    return [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]


def luminance(colour):
    """Relative luminance of WCAG 2.2."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("ground", ["ground", "panel", "raised"])
@pytest.mark.parametrize(
    "text", ["text", "dim", "faint", "accent", "life-safety", "high", "medium", "low", "simulated"]
)
def test_text_is_readable_on_every_ground(text, ground):
    assert contrast(TOKENS[text], TOKENS[ground]) >= 4.5


def test_the_banner_is_readable():
    (background,) = re.findall(r"\.ts-banner \{ background: (#[0-9a-f]{6}); color: #fff", CSS)
    assert contrast("#ffffff", background) >= 7


# Machado, Oliveira, Fernandes 2009, severity 1.0, on linear RGB.
DEUTERANOPIA = (
    (0.367322, 0.860646, -0.227968),
    (0.280085, 0.672501, 0.047413),
    (-0.011820, 0.042940, 0.968881),
)
PROTANOPIA = (
    (0.152286, 1.052583, -0.204868),
    (0.114503, 0.786281, 0.099216),
    (-0.003882, -0.048116, 1.051998),
)
NORMAL = ((1, 0, 0), (0, 1, 0), (0, 0, 1))


def lab(colour, sight):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels(colour)]
    seen = [min(1.0, max(0.0, sum(a * b for a, b in zip(row, linear, strict=True)))) for row in sight]
    to_xyz = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    white = (0.9505, 1.0, 1.089)
    xyz = [
        sum(a * b for a, b in zip(row, seen, strict=True)) / w for row, w in zip(to_xyz, white, strict=True)
    ]
    x, y, z = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize(
    "sight", [NORMAL, DEUTERANOPIA, PROTANOPIA], ids=["normal", "deuteranopia", "protanopia"]
)
@pytest.mark.parametrize(
    "palette", [BANDS, [*BANDS[:4], TOKENS["a4"], TOKENS["a5"]]], ids=["pressure", "amount"]
)
def test_neighbouring_bands_are_told_apart_by_everybody(palette, sight):
    for one, other in pairwise(palette):
        distance = sum((a - b) ** 2 for a, b in zip(lab(one, sight), lab(other, sight), strict=True)) ** 0.5
        assert distance >= 10, (one, other)


def test_a_frozen_page_is_marked_after_six_seconds_by_what_already_runs():
    (length_s,) = re.findall(r"animation: ts-deadman (\d+)s linear forwards", CSS)
    (hidden, shown) = re.findall(r"0%, (\S+)% \{ opacity: 0; \} (\S+)%, 100% \{ opacity: 1; \}", CSS)[0]
    assert float(length_s) * float(hidden) / 100 == 6
    assert float(shown) - float(hidden) < 0.1


def test_nothing_is_green():
    for name, colour in TOKENS.items():
        hue, lightness, saturation = colorsys.rgb_to_hls(*channels(colour))
        assert not (80 / 360 < hue < 170 / 360 and saturation > 0.2), (name, colour, lightness)


def test_no_data_is_hatched_and_none_of_the_bands():
    assert TOKENS["void"] not in BANDS
    assert "hatched" in (WEB / "map.js").read_text("utf-8")


def test_scripts_name_no_other_host():
    for path in WEB.rglob("*.*"):
        assert not re.findall(r"""["'(]https?://""", path.read_text("utf-8")), path.name
