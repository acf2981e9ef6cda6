"""`taishi`: the one command. A group's module is imported only when that group is called."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Final

import click
import structlog

from schemas.errors import TaishiError

__all__ = ["main"]

_COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "up": ("stack", "start everything, with the simulated city, and show it live"),
    "down": ("stack", "stop everything that `up` started"),
    "status": ("status", "what is running and what flows, as a live table"),
    "backup": ("backup", "copy log, store, database and sealed keys of this installation"),
    "restore": ("backup", "put a backup into an installation that has nothing"),
    "doctor": ("doctor", "check this machine and these settings, and say what to do"),
    "places": ("places", "the district's streets, communities and grids: import, check, list"),
    "sources": ("sources", "how good what each source sends is: shares of bad, late, double"),
    "devices": ("devices", "the device registry: import, check, list"),
    "simulate": ("simulate", "a simulated city that speaks the vendors' formats"),
    "replay": ("replay", "send a recording through the connectors"),
    "backfill": ("backfill", "recompute a past range from the log or from files"),
    "alerts": ("alerts", "what calls for a response: list, ack, shelve, history, kpis"),
    "cases": ("cases", "what must be done, by whom, until when: list, open, move, evaluate"),
    "rules": ("rules", "what raises an alert: list, check the rule file"),
    "oncall": ("oncall", "who is told of alerts: check the file, serve"),
    "desk": ("desk", "the operations desk: serve, openapi"),
    "major-event": ("major_event", "major-event mode: check, add, list, on, off, reports"),
    "people": ("people", "who may sign in at the desk: add, list, roles, change, disable, password"),
    "residents": ("residents", "who pseudonyms are of, sealed: import, list, erase, check"),
    "retention": ("retention", "how long the desk keeps what: show, run"),
    "audit": ("audit", "who did what at the desk: list, verify, head"),
    "detect": ("detect", "how unusual each row of a CSV file is, by the rows before it"),
    "pages": ("pages", "live pages for operators in a browser: serve"),
    "export": ("export", "figures of places over a period as CSV, Parquet or GeoJSON"),
    "sql": ("sql", "questions in SQL to exported Parquet files, read-only"),
    "outgoing": ("outgoing", "NGSI-LD and CAP for the city's other platforms: serve"),
    "boards": ("boards", "Grafana boards as code: list, render, check, sketch, feed"),
    "store": ("store", "what InfluxDB keeps for how long: create, show"),
    "quarantine": ("quarantine", "what was refused and why: list, show, replay"),
    "promises": ("promises", "what is promised, and when which test last showed it"),
    "bench": ("bench", "measure this installation beside its own limits"),
    "sbom": ("sbom", "software bill of materials: CycloneDX JSON of the lock and the programs"),
    "schemas": ("schemas", "JSON Schemas and the AsyncAPI document: write, check"),
    "senders": ("senders", "who may send over HTTP and MQTT: add, list, remove"),
    "keys": ("keys", "keys of pseudonyms and seals: create, list, rotate, forget, pseudonym"),
    "connect": ("connect", "run one connector (mqtt, http, sip, tcp); `up` does this for you"),
    "worker": ("worker", "run one Beam job (aggregate, situation, signals); `up` does this for you"),
    "broker": ("broker", "run the embedded MQTT broker; `up` does this for you"),
    "topics": ("topics", "create and verify the Kafka topics; `up` does this for you"),
}
"""Command -> (module of taishi.cli that holds a click command of that name, one line of help)."""


class _LazyGroup(click.Group):
    """Lists all commands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All names, in the order of the table."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command, imported now; None lets click suggest what was meant."""
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"taishi.cli.{_COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """One line each, from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


_GROUP: Final = _LazyGroup(
    name="taishi",
    help="Taishi (态势): the situation of a city district, from sensors to boards.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line; errors of ours go to stderr with exit code 1, misuse with 2."""
    # What a command logs must not stand in its output; processes configure more (taishi.logs).
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        _GROUP(prog_name="taishi")
    except TaishiError as error:
        if os.environ.get("TAISHI_TRACEBACK"):
            raise
        click.echo(f"taishi: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
