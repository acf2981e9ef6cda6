"""S6: a real InfluxDB 1.8 with users: each credential × class × verb, and only what is meant works."""

from __future__ import annotations

import os
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from deploy.embedded import children, influxdb
from deploy.embedded.fetch import INFLUXD, folder_of
from operations.influxql import InfluxQl, UnavailableError
from pipelines.io.influxdb import InfluxDb
from schemas.errors import SettingsError
from taishi.cli.store import store
from taishi.settings import Settings
from taishi.stack_settings import environment_of, stack_settings
from taishi.store import disk_bytes, influx_settings
from tests.conftest import Stack, isolated_settings

pytestmark = pytest.mark.stack

ADMIN = "root:made-by-the-operator"
CLASSES = ("taishi", "taishi_care")
VERBS = ("write", "read", "delete", "administer")
MAY = {
    "writer": {(verb, name) for verb in ("write", "read", "delete") for name in CLASSES},
    "reader": {("read", name) for name in CLASSES},
    "grafana-district": {("read", "taishi")},
    "grafana-care": {("read", "taishi_care")},
    "administrator": {(verb, name) for verb in VERBS for name in CLASSES},
    "nobody": set(),
    "with a wrong password": set(),
}
MARK = "probe,who=honest value=1 1800000000000"


@dataclass
class Server:
    """A running InfluxDB that wants users; `tokens` are `user:password` by purpose."""

    settings: Settings
    folder: Path
    tokens: dict[str, str]

    def of(self, who: str) -> Settings:
        return self.settings.model_copy(update={"influxdb_token": self.tokens[who]})

    def make(self) -> str:
        """`taishi store users` by the administrator; what it printed."""
        words = ["users", str(self.folder)]
        done = CliRunner().invoke(
            store, words, env=environment_of(self.of("administrator")), catch_exceptions=False
        )
        assert done.exit_code == 0, done.output
        return done.output

    def does(self, who: str, verb: str, database: str) -> int:
        """The server's answer to one try, asked as curl would, so that no client of ours says no first."""
        user, _, password = self.tokens[who].partition(":")
        auth = (user, password) if user else None
        url = self.settings.influxdb_url
        if verb == "write":
            where = {"db": database, "rp": "1m", "precision": "ms"}
            line = MARK.replace("honest", who.replace(" ", "_"))
            answer = httpx.post(f"{url}/write", params=where, content=line, auth=auth, timeout=60)
            return answer.status_code
        asked = {
            "read": "SELECT * FROM probe",
            "delete": "DELETE FROM nothing",
            "administer": f'ALTER RETENTION POLICY "1m" ON "{database}" DURATION 90d',
        }[verb]
        answer = httpx.post(f"{url}/query", params={"db": database, "q": asked}, auth=auth, timeout=60)
        return answer.status_code

    def rows(self, database: str) -> list[dict[str, object]]:
        with closing(InfluxDb(influx_settings(self.of("administrator")))) as opened:
            return opened.query("SELECT * FROM probe", database)


@pytest.fixture(scope="module")
def server(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Made as docs/store.md says: by `taishi store users`, from nothing."""
    home = tmp_path_factory.mktemp("influxdb-users")
    settings = isolated_settings(home, influxdb_care_database="taishi_care")
    own = stack_settings(settings)
    own.data.mkdir(parents=True)
    file = own.data / "influxdb.conf"
    file.write_text(influxdb.configuration(own, users=True))
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(folder_of(INFLUXD, settings.cache) / "influxd"), "run", "-config", str(file)],
            stdout=log,
            stderr=log,
            env=os.environ | {"INFLUXDB_CONFIG_PATH": ""},
            preexec_fn=children.die_with_parent(),  # noqa: PLW1509 - one system call
        )
    try:
        made = Server(settings, home / "secrets", {"administrator": ADMIN, "nobody": ""})
        made.tokens["with a wrong password"] = "taishi_writer:guessed"
        while not _answers(settings):
            assert process.poll() is None, (home / "log").read_text()
            threading.Event().wait(0.05)
        with closing(InfluxDb(influx_settings(made.of("administrator")))) as opened:
            made.make()
            for name in CLASSES:
                assert opened.write([MARK], f"{name}/1m") == []
        made.tokens |= {
            path.parent.name: path.read_text() for path in made.folder.glob("*/taishi_influxdb_token")
        }
        yield made
    finally:
        process.kill()
        process.wait()


def _answers(settings: Settings) -> bool:
    try:
        return httpx.get(f"{settings.influxdb_url}/ping").status_code == 204
    except httpx.TransportError:
        return False


def test_each_credential_does_what_it_is_for_and_nothing_else(server: Server) -> None:
    """The whole grid, against the server; and what was refused has left nothing."""
    assert set(MAY) == set(server.tokens)
    grid = {
        (who, verb, name): server.does(who, verb, name) for who in MAY for name in CLASSES for verb in VERBS
    }
    wrong = {
        cell: status
        for cell, status in grid.items()
        if (status in {200, 204}) != ((cell[1], cell[2]) in MAY[cell[0]])
        or (status not in {200, 204} and status not in {401, 403})
    }
    assert wrong == {}
    written = {name: {str(row["who"]) for row in server.rows(name)} for name in CLASSES}
    assert written == {name: {"honest", "writer", "administrator"} for name in CLASSES}


def test_a_password_is_its_readers_own_and_nothing_prints_it(server: Server) -> None:
    files = sorted(server.folder.glob("*/*"))
    assert [path.parent.name for path in files] == ["grafana-care", "grafana-district", "reader", "writer"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    before = dict(server.tokens)
    printed = server.make()
    assert not any(token.partition(":")[2] in printed for token in before.values() if token)
    assert [path.read_text() for path in files] == [before[path.parent.name] for path in files]


def test_a_file_that_is_deleted_gets_another_password_and_the_former_is_none(server: Server) -> None:
    file = server.folder / "reader" / "taishi_influxdb_token"
    server.tokens["former"] = server.tokens["reader"]
    file.unlink()
    server.make()
    server.tokens["reader"] = file.read_text()
    former = server.tokens.pop("former")
    assert former != server.tokens["reader"]
    assert server.does("reader", "read", "taishi") == 200
    user, _, password = former.partition(":")
    asked = {"db": "taishi", "q": "SELECT * FROM probe"}
    url = f"{server.settings.influxdb_url}/query"
    assert httpx.get(url, params=asked, auth=(user, password), timeout=60).status_code == 401


def test_the_products_clients_work_with_what_they_are_given_and_say_so_without(server: Server) -> None:
    with closing(InfluxDb(influx_settings(server.of("writer")))) as writer:
        writer.create_database()  # all is as it shall be, so nothing is asked that a writer may not
        assert writer.write(["own,who=w value=2 1800000000000"], "taishi_care/1m") == []
    with closing(InfluxDb(influx_settings(server.of("reader")))) as reader:
        assert len(reader.query("SELECT * FROM own", "taishi_care")) == 1
        assert disk_bytes(reader) == {}  # an administrator's matter, and no reason to end
        with pytest.raises(SettingsError, match="influxdb_token"):
            reader.write(["own,who=r value=2 1800000000000"], "taishi_care/1m")
    url, asked = server.settings.influxdb_url, "SELECT * FROM probe"
    with closing(InfluxQl(url, server.tokens["reader"], 5)) as asks:
        assert asks.ask("taishi_care", asked)
    district = server.tokens["grafana-district"]
    with closing(InfluxQl(url, district, 5)) as asks, pytest.raises(UnavailableError):
        asks.ask("taishi_care", asked)


def test_grafana_asks_with_the_header_that_its_provisioning_makes_of_the_file(server: Server) -> None:
    """`Authorization: Token user:password`: one file for 1.8 and 2.x; care has no row for the district."""
    url = f"{server.settings.influxdb_url}/query"
    for who, other in (("grafana-district", "taishi_care"), ("grafana-care", "taishi")):
        header = {"Authorization": f"Token {server.tokens[who]}"}
        refused = httpx.get(url, params={"db": other, "q": "SELECT * FROM probe"}, headers=header, timeout=60)
        assert refused.status_code == 403
        assert "honest" not in refused.text


def test_who_is_no_administrator_makes_no_users_and_is_told_the_setting(server: Server) -> None:
    environment = environment_of(server.of("reader"))
    done = CliRunner().invoke(store, ["users", str(server.folder)], env=environment)
    assert isinstance(done.exception, SettingsError)
    assert "influxdb_token" in str(done.exception)
