"""`taishi desk`: the operations desk, its client and its API."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from typing import Final

import click
import structlog

from connectors.privacy.keys import KeyFile
from deploy.embedded.settings import METRICS_OFFSETS
from operations.desk.acts import ActRecord, Publisher
from operations.desk.app import application
from operations.desk.city import City, LastHours
from operations.desk.clockwork import Clockwork
from operations.desk.feed import Feed
from operations.desk.state import Desk
from operations.desk.store import DeskStore
from operations.oncall.clock import now_ms
from operations.oncall.load import load_oncall
from operations.oncall.model import OnCall
from operations.oncall.reader import Reader
from operations.people.keep import keep_days
from operations.people.passwords import Passwords
from operations.people.sign_in import SigningIn
from operations.people.spool import Spool
from operations.scenarios.identity import Identify, Resident
from operations.scenarios.load import load_scenarios
from operations.scenarios.photos import Photos
from operations.store.casebook import CaseBook
from pipelines.io.sink import KafkaSink, Record, RenewedSink
from schemas.errors import SettingsError, TaishiError
from schemas.topics import ACTS
from taishi import logs, metrics
from taishi.cases.desk import config
from taishi.doors import is_loopback, tls_pair
from taishi.kafka import kafka_of
from taishi.keys import key_file
from taishi.pages import pages_store
from taishi.parking import ParkingReader
from taishi.people import said
from taishi.places import load_registry
from taishi.residents import Residents, finish, vault_of
from taishi.retention import Retention
from taishi.serving import ended, listener, running
from taishi.settings import Settings, load_settings
from taishi.web import answer

__all__ = ["desk"]

_LOG = structlog.get_logger(__name__)
_LEAVE_S: Final = 5
_GIVE_UP_S: Final = 30
"""After which what the broker did not confirm is sent again."""


@click.group()
def desk() -> None:
    """值班台。The operations desk: people sign in, see alerts and act on them (docs/desk.md)."""


@desk.command()
def serve() -> None:
    """Serve the desk; `taishi up` runs this where the setting `desk` is true.

    Nobody can sign in before `taishi people add`: there is no first user and no first password.
    """
    settings = load_settings()
    logs.configure("desk")
    tls = tls_pair("desk_tls", settings.desk_tls_certificate, settings.desk_tls_key)
    made = _desk(settings, secure=tls is not None)
    listening = listener(settings.desk_host, settings.desk_port, "desk")
    metrics.serve(settings.metrics_port + METRICS_OFFSETS["desk"], settings.metrics_host)
    stopping = threading.Event()
    clockwork = Clockwork(made.cases, now_ms, made.feed.wake)
    acts = Publisher(made.store, made.cases, _into_log(settings))
    threads = [running("cases", clockwork.run, stopping), running("acts", acts.run, stopping)]
    retention = Retention(settings.operations_url, keep_days(settings.desk_keep_days), now_ms)
    threads.append(running("retention", retention.run, stopping))
    if settings.oncall_file is None:  # else `taishi oncall serve` reads the topic into the same database
        reader = Reader(kafka_of(settings), made.store, made.feed.wake)
        threads.append(running("reader", reader.run, stopping))
    _LOG.info("desk listening", host=settings.desk_host, port=settings.desk_port, tls=tls is not None)
    answer(application(made), listening, _LEAVE_S, tls=tls)
    ended(threads, stopping, _LEAVE_S)
    made.store.close()
    made.cases.close()


def _into_log(settings: Settings) -> Callable[[Sequence[ActRecord]], None]:
    brokers = kafka_of(settings)
    sink = RenewedSink(lambda: KafkaSink(brokers, give_up_s=_GIVE_UP_S))
    return lambda acts: sink.send(Record(ACTS, act.key, act.value) for act in acts)


@desk.command()
def openapi() -> None:
    """Print the API's OpenAPI document. Nothing is started."""
    made = _made(load_settings(), "sqlite://")
    click.echo(json.dumps(application(made).openapi(), ensure_ascii=False, indent=1))
    made.store.close()
    made.cases.close()


def _desk(settings: Settings, *, secure: bool) -> Desk:
    """The desk; SettingsError where nobody could sign in, or passwords would go over a network in clear."""
    if not secure and not is_loopback(settings.desk_host):
        raise SettingsError(
            f"desk_host: received {settings.desk_host} without TLS, allowed: 127.0.0.1, or set "
            "desk_tls_certificate and desk_tls_key"
        )
    (settings.home / "data").mkdir(parents=True, exist_ok=True)
    people = DeskStore(settings.operations_url)
    nobody = all(person.disabled for person in people.people())
    people.close()
    if nobody:
        raise SettingsError(
            "desk: nobody may sign in yet, and there is no default password: begin with "
            "`taishi people add ID --role shift_leader`"
        )
    return _made(settings, settings.operations_url, secure=secure)


def _made(settings: Settings, url: str, *, secure: bool = False) -> Desk:
    store, cases, passwords = DeskStore(url), CaseBook(url, config(settings)), Passwords()
    situation = pages_store(settings)
    oncall = load_oncall(settings.oncall_file) if settings.oncall_file else OnCall({}, ())
    scenarios = load_scenarios(settings.scenarios_file)
    return Desk(
        district=settings.district,
        store=store,
        cases=cases,
        door=SigningIn(store, passwords),
        passwords=passwords,
        feed=Feed(store, cases, now_ms),
        clock=now_ms,
        city=City(load_registry(settings), LastHours(situation, now_ms)),
        secure=secure,
        handover=oncall.handover,
        shifts=oncall.shifts,
        scenarios=scenarios,
        photos=Photos(settings.home / "data" / "photos", scenarios.photo_max_bytes),
        parking=ParkingReader(situation, now_ms),
        identify=_residents(settings, store),
        spool=Spool(settings.audit_spool),
    )


def _residents(settings: Settings, store: DeskStore) -> Identify | None:
    """The register, opened at each call: one that cannot be read is told to who asks, and stops no alert."""
    if settings.residents_file is None:
        return None
    vault, keys = vault_of(settings), key_file(settings)

    def identify(subject: str) -> Resident | None:
        return Residents(vault, KeyFile(keys))(subject)

    try:
        again = finish(store, vault, said("residents.erased"))
    except TaishiError as error:
        _LOG.error("the residents' register cannot be read; the desk serves without it", why=str(error))
    else:
        _LOG.info("residents' register", erased_again=len(again))
    return identify
