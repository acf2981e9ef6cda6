"""Colours: told apart by people who see red, green or blue badly, and read on dark and light panels."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest

from dashboards.palette import COLOURS, DARK_PANEL, LIGHT_PANEL, SEVERITY_COLOURS, contrast
from schemas.alerts import SEVERITIES

SEEN = {
    "all colours": np.eye(3),
    # Machado, Oliveira, Fernandes 2009, severity 1.0, on linear RGB
    "no red": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "no green": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "no blue": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
APART = 15.0
"""ΔE*ab; 2.3 is what can just be told apart side by side."""


def linear(colour: str) -> npt.NDArray[np.float64]:
    channels = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def lab(rgb: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    to_xyz = np.array([[0.4125, 0.3576, 0.1804], [0.2127, 0.7152, 0.0722], [0.0193, 0.1192, 0.9503]])
    xyz = to_xyz @ np.clip(rgb, 0, 1) / np.array([0.9505, 1.0, 1.0888])
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("eyes", SEEN)
def test_any_two_colours_are_told_apart(eyes: str) -> None:
    for one, other in combinations(COLOURS, 2):
        first, second = (lab(SEEN[eyes] @ linear(COLOURS[each])) for each in (one, other))
        assert np.linalg.norm(first - second) >= APART, (one, other)


@pytest.mark.parametrize("colour", COLOURS.values())
def test_every_colour_can_be_read_on_dark_panels_and_seen_on_light_ones(colour: str) -> None:
    assert contrast(colour, DARK_PANEL) >= 4.5
    assert contrast(colour, LIGHT_PANEL) >= 3.0


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)
    assert contrast("#FFFFFF", "#777777") == contrast("#777777", "#FFFFFF")


def test_every_severity_has_a_colour_of_its_own_that_is_not_that_of_no_data() -> None:
    colours = [SEVERITY_COLOURS[each] for each in SEVERITIES]
    assert len(set(colours)) == len(SEVERITIES)
    assert "none" not in colours
