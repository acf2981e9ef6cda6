"""A query as Grafana sends it: InfluxQL as text, not the visual editor's parts; PromQL by the SDK's type."""

from __future__ import annotations

from dataclasses import dataclass

from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import dashboard as grafana
from grafana_foundation_sdk.models import prometheus

from dashboards.model import Query

__all__ = ["InfluxqlQuery", "target"]


@dataclass(frozen=True, slots=True)
class InfluxqlQuery(Dataquery):
    """A raw query of the InfluxDB data source (`InfluxQuery` in Grafana); the SDK has no type for it."""

    query: Query

    def to_json(self) -> dict[str, object]:
        """As the data source reads it."""
        query = self.query
        payload: dict[str, object] = {
            "refId": query.ref,
            "datasource": grafana.DataSourceRef(query.source.plugin, query.source.uid),
            "query": query.text,
            "rawQuery": True,
            "resultFormat": query.form,
        }
        return payload | ({"alias": query.alias} if query.alias else {})


def target(query: Query) -> Dataquery:
    """The query of a panel."""
    if query.source.language == "influxql":
        return InfluxqlQuery(query)
    at_once = query.form == "table"
    return prometheus.Dataquery(
        expr=query.text,
        ref_id=query.ref,
        instant=at_once,
        range_val=not at_once,
        format_val=prometheus.PromQueryFormat(query.form),
        legend_format=query.alias or None,
        datasource=grafana.DataSourceRef(query.source.plugin, query.source.uid),
    )
