"""街道 / 社区 / 网格: from the district to a street, a community, a grid, and its windows."""

from __future__ import annotations

from dashboards import alert_panels, windows
from dashboards.context import Context
from dashboards.figures import FIGURES, Figure, figure
from dashboards.limits import of_figure
from dashboards.links import UIDS
from dashboards.model import Board, FieldStyle, Panel, Section, Table
from dashboards.panels import key_figure, last_seen, places, trends, wholeness
from dashboards.words import DOMAINS_WORDS, Words
from schemas.kinds import DOMAINS, Domain

__all__ = ["board"]

_KEY: dict[Domain, tuple[str, ...]] = {
    "parking": ("occupancy", "spaces", "unknown"),
    "security": ("people_entered", "access_denied", "intrusion_intrusion"),
    "care": ("residents_seen", "beds_occupied", "vitals_out_of_range"),
    "governance": ("patrols", "reports", "checked_in"),
}
"""Figures of each domain that tell a place apart."""
_PEOPLE = ("people_entered", "people_left")
_WINDOWS: dict[Domain, tuple[str, ...]] = {
    "parking": ("spaces", "occupied", "unknown", "occupancy", "turnover", "readings"),
    "security": ("access_granted", "access_denied", "intrusion_intrusion", "people_entered", "people_left"),
    "governance": ("patrols", "reports", "checked_in", "station_visits"),
}


def _all(domain: Domain, *names: str) -> list[Figure]:
    return [figure(domain, name) for name in names]


def board(context: Context) -> Board:
    """The board."""
    return Board(
        uid=UIDS["place"],
        title=Words("街道 / 社区 / 网格", "street, community, grid"),
        about=Words(
            "选定地点的各项数据；在表中点击编码逐级进入，直到网格及其窗口。",
            "All figures of a place; a click on a code goes down, to a grid and its windows.",
        ),
        variables=context.placed,
        refresh="30s",
        live=context.live_url,
        sections=(
            Section(
                Words("${place:text}", "now"),
                (
                    *(
                        key_figure(figure(domain, each), of_figure(context.limits, figure(domain, each)))
                        for domain in DOMAINS
                        for each in _KEY[domain]
                    ),
                ),
            ),
            Section(
                Words("各地", "places in it"),
                tuple(
                    places(
                        f"places-{domain}",
                        DOMAINS_WORDS[domain],
                        _all(domain, *_KEY[domain]),
                    ).sized(12, 9)
                    for domain in DOMAINS
                ),
            ),
            Section(
                Words("走势", "trend"),
                (
                    trends("trend-parking", DOMAINS_WORDS["parking"], _all("parking", "occupied", "unknown")),
                    trends("trend-people", Words("人流", "people"), _all("security", *_PEOPLE)),
                ),
            ),
            Section(
                Words("告警", "alerts"), (alert_panels.alert_list(context.place_names, only_active=False),)
            ),
            Section(
                Words("窗口", "windows"), tuple(_windows(domain, names) for domain, names in _WINDOWS.items())
            ),
            Section(Words("数据", "data"), (wholeness(DOMAINS), *(last_seen(domain) for domain in DOMAINS))),
        ),
    )


def _windows(domain: Domain, names: tuple[str, ...]) -> Panel:
    """The newest windows of the place as they are stored; care's are not shown one by one."""
    shown = tuple(FIGURES[domain][each] for each in names)
    words = DOMAINS_WORDS[domain]
    return Panel(
        name=f"windows-{domain}",
        title=Words(f"{words.chinese}窗口", f"windows: {words.english}"),
        about=Words(
            "所选时间内最近 100 个窗口的原始值，窗口大小随时间范围。",
            "The newest 100 windows of the board's time as stored; their size follows from the time.",
        ),
        show=Table(columns=("Time", *names, "complete", "revision"), sort="Time"),
        unit="locale",
        queries=(windows.stored(shown, 100),),
        width=24,
        height=8,
        fields=(
            FieldStyle("Time", Words("开始", "start"), unit="dateTimeAsLocal", width=180),
            *(FieldStyle(each.name, each.words, each.unit) for each in shown),
            FieldStyle("complete", Words("完整", "complete")),
            FieldStyle("revision", Words("修订", "revision")),
        ),
    )
