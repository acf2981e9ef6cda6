"""`taishi store tokens`: what each token of a 2.x is for, on the fake and on a real one alike."""

from __future__ import annotations

import stat
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from pipelines.io.influxdb import InfluxDb
from schemas.errors import SettingsError
from taishi.cli.store import store
from taishi.settings import Settings
from taishi.stack_settings import environment_of
from taishi.store import influx_settings
from tests.contract import influxdb_fake, influxdb_fake_v2

FILES = {
    "writer": "writer/taishi_influxdb_token",
    "reader": "reader/taishi_influxdb_token",
    "grafana district": "grafana/influxdb_district",
    "grafana care": "grafana/influxdb_care",
}
CLASSES = ("district_tokens", "care_tokens")
MAY = {
    "writer": {(verb, name) for verb in ("write", "read") for name in CLASSES},
    "reader": {("read", name) for name in CLASSES},
    "grafana district": {("read", CLASSES[0])},
    "grafana care": {("read", CLASSES[1])},
    "nobody": set(),
}
MARK = "probe,who=honest value=1"


@pytest.fixture
def fake_v2():
    with influxdb_fake.fake_influxdb("district") as running:
        running.api = influxdb_fake_v2.BucketApi(running)
        yield running


@pytest.fixture(params=["fake_v2", pytest.param("influxdb2", marks=pytest.mark.stack)])
def server(request: pytest.FixtureRequest):
    return request.getfixturevalue(request.param)


@dataclass
class Installation:
    """Settings of one, and the folder its tokens go to."""

    settings: Settings
    folder: Path

    def says(self, *words: str, token: str | None = None):
        settings = (
            self.settings if token is None else self.settings.model_copy(update={"influxdb_token": token})
        )
        return CliRunner().invoke(store, words, env=environment_of(settings))

    def made(self) -> dict[str, str]:
        done = self.says("tokens", str(self.folder))
        assert done.exit_code == 0, done.output
        found = {purpose: (self.folder / file).read_text() for purpose, file in FILES.items()}
        assert not any(token in done.output for token in found.values())
        return found


@pytest.fixture
def installation(server, tmp_path: Path):
    made = Installation(
        Settings(
            home=tmp_path / "home",
            influxdb_address=server.url,
            influxdb_org=server.org,
            influxdb_token=getattr(server, "token", "as the administrator"),
            influxdb_database=CLASSES[0],
            influxdb_care_database=CLASSES[1],
        ),
        tmp_path / "tokens",
    )
    done = made.says("create")
    assert done.exit_code == 0, done.output
    return made


def test_each_is_its_readers_own_and_what_is_there_stays(installation) -> None:
    before = installation.made()
    assert len(set(before.values())) == 4
    assert {stat.S_IMODE((installation.folder / file).stat().st_mode) for file in FILES.values()} == {0o600}
    assert installation.made() == before


def test_one_whose_file_is_gone_is_made_anew_and_the_old_one_ends(installation) -> None:
    before = installation.made()
    (installation.folder / FILES["reader"]).unlink()
    after = installation.made()
    assert {purpose for purpose in FILES if before[purpose] != after[purpose]} == {"reader"}
    with closing(InfluxDb(influx_settings(installation.settings))) as opened:
        held = opened._client.authorizations_api().find_authorizations()
    assert sorted(each.description for each in held if each.description.startswith("taishi ")) == sorted(
        f"taishi {purpose}" for purpose in FILES
    )


def test_grafana_of_another_user_may_read_its_own(installation) -> None:
    done = installation.says("tokens", str(installation.folder), "--grafana-readable")
    assert done.exit_code == 0
    modes = {
        purpose: stat.S_IMODE((installation.folder / file).stat().st_mode) for purpose, file in FILES.items()
    }
    assert modes == {purpose: 0o644 if "grafana" in purpose else 0o600 for purpose in FILES}


def test_without_buckets_there_is_a_word_what_to_do_first(installation) -> None:
    other = installation.settings.model_copy(update={"influxdb_care_database": "not_made"})
    done = Installation(other, installation.folder).says("tokens", str(installation.folder))
    assert isinstance(done.exception, SettingsError)
    assert "no bucket not_made/" in str(done.exception)
    assert "store create" in str(done.exception)


def test_a_1_8_is_told_its_own_command(installation) -> None:
    other = installation.settings.model_copy(update={"influxdb_org": ""})
    done = Installation(other, installation.folder).says("tokens", str(installation.folder))
    assert "taishi store users" in str(done.exception)


@pytest.mark.stack
@pytest.mark.parametrize("server", ["influxdb2"], indirect=True)
def test_each_does_what_it_is_for_and_nothing_else(installation, server) -> None:
    """The whole grid, asked as curl would, so that no client of ours says no first."""
    held = installation.made() | {"nobody": "guessed"}
    for name in CLASSES:
        assert _writes(server.url, server.org, held["writer"], name), "nothing could be read"
    done = {
        (who, verb, name)
        for who, token in held.items()
        for verb, does in {"write": _writes, "read": _reads}.items()
        for name in CLASSES
        if does(server.url, server.org, token, name)
    }
    assert done == {(who, verb, name) for who, may in MAY.items() for verb, name in may}


def _writes(url: str, org: str, token: str, database: str) -> bool:
    where = {"org": org, "bucket": f"{database}/1m"}
    headers = {"Authorization": f"Token {token}"}
    return httpx.post(f"{url}/api/v2/write", params=where, content=MARK, headers=headers).status_code == 204


def _reads(url: str, org: str, token: str, database: str) -> bool:
    """A 2.x may answer 200 to who may not read, with nothing in it."""
    where = {"db": database, "rp": "1m", "q": "SELECT * FROM probe"}
    return (
        "honest" in httpx.get(f"{url}/query", params=where, headers={"Authorization": f"Token {token}"}).text
    )
