"""Panels that several boards have, made of a figure: its value beside the usual, its trend, its places.

Each takes its limits from the rules (`dashboards.limits`), and says so in its description.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from dashboards import windows
from dashboards.figures import Figure
from dashboards.limits import Limit, of_rules, said
from dashboards.links import deeper, to_board
from dashboards.model import Bars, FieldStyle, Lines, Mapping, Panel, Stat, Step, Table, Timeline
from dashboards.palette import Colour
from dashboards.words import DOMAINS_WORDS, Words
from schemas.kinds import Domain

__all__ = ["key_figure", "last_seen", "places", "ranked", "trends", "wholeness"]

_SERIES: Final[tuple[Colour, ...]] = ("normal", "caution", "urgent", "none", "critical")
"""Colours of lines that stand beside each other; their names stand in the legend."""

_SAID_OF: Final[dict[str, Words]] = {
    "held": Words(
        "最近一分钟的状态；超过 15 分钟没有则无数据。",
        "The state at the newest minute, not older than 15 min.",
    ),
    "flow": Words("最近一小时的合计。", "The sum of the last hour."),
    "distinct": Words("最近一个整点小时内的不重复数。", "How many different ones in the newest whole hour."),
    "ratio": Words(
        "最近一分钟的比值；超过 15 分钟没有则无数据。",
        "The ratio of the newest minute, not older than 15 min.",
    ),
}
_USUAL: Final = Words(
    "旁边是往周同一小时的均值（最近四周）。", "Beside it the mean of this hour in the last four weeks."
)
_OF_PLACE: Final = Words(
    "所选地点；按时间范围取 10 秒、1 分钟或 1 小时窗口，断线处没有窗口。",
    "The chosen place, by windows that suit the time range; a gap is where no window is.",
)
_BELOW: Final = Words(
    "所选地点内按比较层级列出，点击进入。", "The places of the compared level; a click goes there."
)
_SMALL: Final = Words("少于 5 人的计数不显示。", "Counts under 5 are not shown.")


def _about(shown: Figure, *told: Words) -> Words:
    every = [*told, *([_SMALL] if shown.domain == "care" else [])]
    return Words(
        "".join(each.chinese for each in every), " ".join(filter(None, (each.english for each in every)))
    )


def _said(shown: Figure, ago: str) -> Words:
    """What a value of a row is: of what flows, the sum over `ago`."""
    if shown.grows == "flow":
        return Words(f"最近 {ago} 的合计。", f"The sum of {ago}.")
    return _SAID_OF["held"] if shown.grows == "distinct" else _SAID_OF[shown.grows]


def _decimals(shown: Figure) -> int:
    return 0 if shown.unit == "locale" else 1


def key_figure(shown: Figure, limits: Iterable[Limit] = ()) -> Panel:
    """The figure now, and beside it what is usual at this hour of the week."""
    limits = tuple(limits)
    return Panel(
        name=f"now-{shown.domain}-{shown.name}",
        title=shown.words,
        about=_about(shown, _SAID_OF[shown.grows], _USUAL, said(limits)),
        show=Stat(named=True),  # else the usual would stand for a present that is missing
        unit=shown.unit,
        queries=(windows.now(shown, words=Words("现在", "now")), windows.usual(shown)),
        width=4,
        height=4,
        decimals=_decimals(shown),
        steps=of_rules(limits),
        fields=(FieldStyle(str(windows.USUAL), colour="none"),),
        links=(to_board("place", Words("查看此地", "look at the place")),),
    )


def trends(
    name: str,
    title: Words,
    shown: Sequence[Figure],
    limits: Iterable[Limit] = (),
    show: Lines | None = None,
    bucket: str = "",
) -> Panel:
    """Figures of one unit over the board's time; with `bucket` (`1h`) what flows is summed by it."""
    limits = tuple(limits)
    colours = zip(shown, _SERIES, strict=False) if len(shown) > 1 else ()
    return Panel(
        name=name,
        title=title,
        about=_about(shown[0], _OF_PLACE, said(limits)),
        show=show or Lines(least=0),
        unit=shown[0].unit,
        queries=tuple(windows.trend(each, chr(ord("A") + at), bucket) for at, each in enumerate(shown)),
        decimals=_decimals(shown[0]),
        steps=of_rules(limits),
        fields=tuple(FieldStyle(str(each.words), colour=colour) for each, colour in colours),
    )


def ranked(shown: Figure, limits: Iterable[Limit] = (), ago: str = "1h") -> Panel:
    """The places below the chosen one, by a figure, the largest first."""
    limits = tuple(limits)
    return Panel(
        name=f"ranked-{shown.domain}-{shown.name}",
        title=Words(f"各地{shown.words.chinese}", f"{shown.words.english} by place"),
        about=_about(shown, _said(shown, ago), _BELOW, said(limits)),
        show=Bars(columns=("place", "name", shown.name), most=1 if shown.unit == "percentunit" else None),
        unit=shown.unit,
        queries=windows.below((shown,), ago),
        decimals=_decimals(shown),
        steps=of_rules(limits),
    )


def places(name: str, title: Words, shown: Sequence[Figure], ago: str = "1h") -> Panel:
    """A table of the places of the compared level with figures of a domain; flows summed over `ago`."""
    own = (
        FieldStyle("place", Words("编码", "code"), unit="string", links=(deeper("place"),)),
        FieldStyle("name", Words("名称", "name"), unit="string", width=200),
        *(FieldStyle(each.name, each.words, each.unit, _decimals(each)) for each in shown),
    )
    return Panel(
        name=name,
        title=title,
        about=_about(shown[0], _BELOW, Words(f"流量为最近 {ago} 合计。", f"What flows is the sum of {ago}.")),
        show=Table(columns=("place", "name", *(each.name for each in shown)), joined="place"),
        unit="locale",
        queries=windows.below(tuple(shown), ago),
        fields=own,
    )


def last_seen(domain: Domain) -> Panel:
    """How long ago the newest window of the chosen place began."""
    words = DOMAINS_WORDS[domain]
    return Panel(
        name=f"last-seen-{domain}",
        title=Words(f"{words.chinese}数据", f"{words.english} data"),
        about=Words(
            "所选地点最近一个 1 分钟窗口距现在多久；没有窗口时显示无数据。",
            "How long ago the newest minute of the chosen place was; says so where there is none.",
        ),
        show=Stat(fields="/^Time$/"),
        unit="dateTimeFromNow",
        queries=(windows.newest(domain),),
        width=6,
        height=3,
        steps=(Step(None, "none"),),
    )


def wholeness(domains: Sequence[Domain]) -> Panel:
    """Whether every window came and is whole; one that did not come is red, never well."""
    queries = tuple(
        windows.completeness(domain, DOMAINS_WORDS[domain], chr(ord("A") + at))
        for at, domain in enumerate(domains)
    )
    return Panel(
        name="wholeness",
        title=Words("数据完整性", "whether all data came"),
        about=Words(
            "所选地点的每个窗口：完整、不全（有分片缺席）、没有（红色）。最近两三个窗口尚未判定。",
            "Every window of the chosen place: whole, part (a shard is missing), or none (red). The newest "
            "two or three are not judged yet.",
        ),
        show=Timeline(),
        unit="none",
        queries=queries,
        width=24 if len(domains) > 1 else 18,
        height=5 if len(domains) > 1 else 3,
        steps=(Step(None, "critical"), Step(1, "caution"), Step(2, "normal")),
        mappings=(
            Mapping("0", "没有 none", "critical"),
            Mapping("1", "不全 part", "caution"),
            Mapping("2", "完整 whole", "normal"),
        ),
    )
