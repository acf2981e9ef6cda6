"""The data sources that boards name: fixed uids, which the provisioning gives to what an installation has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from schemas.kinds import Domain

__all__ = ["CARE", "DISTRICT", "GRAFANA", "METRICS", "SOURCES", "Source", "source_of"]


@dataclass(frozen=True, slots=True)
class Source:
    """One data source of Grafana; `language` is what its queries are written in."""

    uid: str
    plugin: str
    language: Literal["influxql", "promql", ""]


DISTRICT: Final = Source("taishi-influxdb", "influxdb", "influxql")
"""Windows of all domains but care; alerts, sources, places."""
CARE: Final = Source("taishi-influxdb-care", "influxdb", "influxql")
"""Windows of care: for the care role only."""
METRICS: Final = Source("taishi-prometheus", "prometheus", "promql")
"""What the parts of the installation count of themselves."""
GRAFANA: Final = Source("-- Grafana --", "grafana", "")
"""Grafana's own annotations, built in."""

SOURCES: Final = {source.uid: source for source in (DISTRICT, CARE, METRICS, GRAFANA)}


def source_of(domain: Domain) -> Source:
    """Where a domain's windows are read; care has a source of its own, for its own role."""
    return CARE if domain == "care" else DISTRICT
