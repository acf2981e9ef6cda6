"""The pages: which elements, where, of which frames. NiceGUI on the application that has the frames."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from nicegui import ui
from nicegui.element import Element

from operations.outgoing.geography import Geography
from operations.outgoing.masking import BASES
from operations.pages.layouts.elements import Alerts, Devices, Domain, Health, Map, Places, Shell, Trend
from operations.pages.live.keys import DISTRICT, HEALTH
from operations.pages.metrics import ALERTS_METRIC, FIGURES, MAP_METRICS, METRICS
from operations.pages.views.map import MAP_LEVELS
from operations.pages.views.places import trail
from operations.pages.views.trends import LINES
from operations.pages.words import DOMAINS, LEVELS, PLURALS
from schemas.kinds import DOMAINS as NAMES
from schemas.kinds import Domain as DomainName
from schemas.places.model import LEVELS as ORDER
from schemas.places.model import Level, Place
from schemas.places.registry import PlaceRegistry

__all__ = ["mount"]

_THEME: Final = Path(__file__).parents[1] / "web" / "theme.css"
_LINKS: Final = (
    {"href": "/", "chinese": "态势总览"},
    *({"href": f"/domain/{domain}", "chinese": DOMAINS[domain][0]} for domain in NAMES),
    {"href": "/health", "chinese": "系统健康"},
)
_LEAD: Final = {line.domain: line.key for line in LINES}


def mount(app: FastAPI, places: PlaceRegistry, geography: Geography) -> None:
    """Put the pages on the application; once a process, since NiceGUI has one of each."""
    district = places.at("district")[0]
    ui.add_head_html(f"<style>{_THEME.read_text('utf-8')}</style>", shared=True)
    ui.page("/")(lambda: _wall(district))
    ui.page("/health")(_health)

    @ui.page("/domain/{domain}")
    def of_domain(domain: str) -> None:
        found = next((name for name in NAMES if name == domain), None)
        _missing(f"/domain/{domain}", NAMES) if found is None else _domain(found, district)

    @ui.page("/place/{code}")
    def of_place(code: str) -> None:
        place = places.place(code)
        if place is None:
            _missing(f"/place/{code}", (f"/place/<{'、'.join(LEVELS[level][0] for level in ORDER)}代码>",))
        else:
            _place(place, geography)

    ui.run_with(
        app,
        title="态势 Taishi",
        favicon=_ICON,
        dark=True,
        language="zh-CN",
        tailwind=False,
        gzip_middleware_factory=None,
        binding_refresh_interval=None,
        show_welcome_message=False,
    )


_ICON: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" '
    'fill="#101b2d"/><path d="M6 22 12 12l5 6 4-8 5 12" fill="none" stroke="#6cb2ff" stroke-width="3" '
    'stroke-linejoin="round" stroke-linecap="round"/></svg>'
)


def _page(title: str, english: str, here: str, classes: str) -> Element:
    """The head, and the part below it."""
    ui.page_title(f"{title} · 态势 Taishi")
    Shell(title=title, english=english, here=here, links=list(_LINKS))
    return Element("div").classes(f"ts-main {classes}").props("id=main")


def _wall(district: Place) -> None:
    source, trend = DISTRICT, f"trend/{district.code}"
    with _page(f"{district.name}态势总览", "The district now", "/", "ts-wall"):
        with Element("div").classes("ts-domains"):
            for domain in NAMES:
                _domain_card(source, domain, trend, f"/domain/{domain}")
        Map(
            levels=_levels(MAP_LEVELS),
            metrics=_metrics(MAP_METRICS),
            within=district.code,
            marked="",
            alerts=source,
        )
        Places(source=source, heading="街道", english="Streets")
        Alerts(source=source)


def _domain(domain: DomainName, district: Place) -> None:
    source, trend = f"domain/{domain}", f"trend/{district.code}"
    chinese, english = DOMAINS[domain]
    with _page(chinese, english, f"/domain/{domain}", "ts-domainpage"):
        _domain_card(source, domain, trend, "")
        # Of people a grid has so few that most is not shown.
        levels = ("community", "grid", "street") if domain in BASES else MAP_LEVELS
        Map(
            levels=_levels(levels),
            metrics=_metrics(metric.key for metric in FIGURES[domain]),
            within=district.code,
            marked="",
            alerts=source,
        )
        Trend(source=trend, only=domain)
        Places(source=source, heading="街道", english="Streets")
        Alerts(source=source)


def _place(place: Place, geography: Geography) -> None:
    source, trend = f"place/{place.code}", f"trend/{place.code}"
    is_grid = place.level == "grid"
    parent = geography.parent(place.code) or place.code
    below = ORDER[min(ORDER.index(place.level) + 1, len(ORDER) - 1)]
    with _page(place.name, LEVELS[place.level][1], f"/place/{place.code}", "ts-place"):
        _trail(place, geography)
        with Element("div").classes("ts-domains"):
            for domain in NAMES:
                _domain_card(source, domain, trend, "")
        Map(
            levels=_levels((below,)),
            metrics=_metrics(MAP_METRICS),
            within=parent if is_grid else place.code,
            marked=place.code if is_grid else "",
            alerts=source,
        )
        if is_grid:
            Devices(source=source)
        else:
            Places(source=source, heading=LEVELS[below][0], english=PLURALS[below])
        Alerts(source=source)
        Trend(source=trend, only="")


def _health() -> None:
    with _page("系统健康", "System health", "/health", "ts-health"):
        Health(source=HEALTH)


def _missing(received: str, allowed: Iterable[str]) -> None:
    ui.context.client.status_code = 404
    with _page("没有这个页面", "Not found", "", "ts-missing"):
        text = f"收到 received {received}，可用 allowed: {', '.join(allowed)}"
        ui.label(text).classes("ts-panel")
        ui.link("回到态势总览 Back to the wall", "/")


def _trail(place: Place, geography: Geography) -> None:
    with Element("nav").classes("ts-trail").props('aria-label="位置 Where"'):
        for crumb in trail(place, geography):
            href = "/" if crumb.code == trail(place, geography)[0].code else f"/place/{crumb.code}"
            link = ui.link(crumb.name, href)
            if crumb.code == place.code:
                link.props("aria-current=page")


def _domain_card(source: str, domain: DomainName, trend: str, href: str) -> None:
    Domain(source=source, domain=domain, trend=trend, line=_LEAD[domain], href=href)


def _levels(levels: Iterable[Level]) -> list[dict[str, str]]:
    return [{"key": level, "chinese": LEVELS[level][0]} for level in levels]


def _metrics(keys: Iterable[str]) -> list[dict[str, str]]:
    return [
        {"key": key, "chinese": "活动告警" if key == ALERTS_METRIC else METRICS[key].chinese} for key in keys
    ]
