"""For analysts: the district's windows, alerts, places and devices as pandas frames.

    import taishi.analysis

    district = taishi.analysis.connect()
    frame = district.windows("parking", ["occupancy", "turnover"], level="street", since="7d")

Nothing heavy is imported before it is used. See docs/analysis.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from taishi.analysis.district import District
    from taishi.settings import Settings

__all__ = ["connect"]


def connect(settings: Settings | None = None, *, small_counts: bool = False) -> District:
    """The district of these settings (those of the environment and `taishi.toml` if None).

    `small_counts`: give counts of fewer than five people too; SettingsError unless the setting
    `export_small_counts` allows it.
    """
    from taishi.analysis.district import District  # noqa: PLC0415 - pandas and Arrow take a second
    from taishi.settings import load_settings  # noqa: PLC0415

    return District(settings or load_settings(), small_counts=small_counts)
