"""Boards go into a Grafana as its HTTP API wants them, and nobody's work is lost on the way."""

import importlib.util
import json
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from schemas.errors import Refused, SettingsError
from taishi.cli import boards as boards_module
from taishi.grafana.client import Conflict, Grafana, GrafanaSettings
from taishi.grafana.push import FOLDER, plan, push

_spec = importlib.util.spec_from_file_location("grafana_fake", Path(__file__).with_name("grafana_fake.py"))
grafana_fake = importlib.util.module_from_spec(_spec)
sys.modules["grafana_fake"] = grafana_fake
_spec.loader.exec_module(grafana_fake)
EDITOR, VIEWER = grafana_fake.EDITOR, grafana_fake.VIEWER


def board(uid, title="停车 parking", **more):
    return {"uid": uid, "title": title, "panels": [], **more}


BOARDS = [board("taishi-a"), board("taishi-b", "安防 security")]


@pytest.fixture
def fake():
    with grafana_fake.fake_grafana() as running:
        yield running


@pytest.fixture
def grafana(fake):
    with closing(Grafana(GrafanaSettings(fake.url, EDITOR, timeout_s=5))) as client:
        yield client


def opened(url, token=EDITOR, **more):
    return closing(Grafana(GrafanaSettings(url, token, **more)))


def refusal(url, **more):
    """What is said where nothing can be asked."""
    with opened(url, **more) as client, pytest.raises(SettingsError) as told:
        client.release()
    return str(told.value)


def pushed(grafana, boards=BOARDS, message="a note", **how):
    return push(grafana, plan(grafana, boards), message, **how)


def kinds(grafana, boards=BOARDS):
    return [change.kind for change in plan(grafana, boards).changes]


def test_a_first_push_makes_the_folder_and_every_board_in_it(fake, grafana):
    assert plan(grafana, BOARDS).makes_folder
    assert pushed(grafana) == {"taishi-a": 1, "taishi-b": 1}
    assert fake.folders[FOLDER]["title"] == "态势 Taishi"
    assert set(fake.folder_of.values()) == {FOLDER}
    assert fake.boards["taishi-a"]["title"] == "停车 parking"
    assert fake.versions["taishi-a"][0]["message"].startswith("a note · taishi ")


def test_looking_changes_nothing(fake, grafana):
    assert kinds(grafana) == ["new", "new"]
    assert not fake.boards
    assert not fake.folders
    assert all(request.startswith("GET ") for request in fake.requests)


def test_what_is_the_same_is_not_pushed_again(fake, grafana):
    pushed(grafana)
    assert kinds(grafana) == ["same", "same"]
    assert pushed(grafana) == {}
    assert len(fake.versions["taishi-a"]) == 1


def test_a_change_of_ours_makes_one_more_version_and_its_diff_says_what_changed(fake, grafana):
    pushed(grafana)
    changed = [BOARDS[0], board("taishi-b", "安防 security", refresh="30s")]
    planned = plan(grafana, changed)
    assert [change.kind for change in planned.changes] == ["same", "changed"]
    assert '+ "refresh": "30s",' in planned.changes[1].diff
    assert pushed(grafana, changed) == {"taishi-b": 2}
    assert fake.boards["taishi-b"]["refresh"] == "30s"


def test_a_board_that_somebody_changed_there_stops_the_whole_push_and_says_who(fake, grafana):
    pushed(grafana)
    fake.edit("taishi-b", refresh="1m")
    changed = [board("taishi-a", "other"), BOARDS[1]]
    assert kinds(grafana, changed) == ["changed", "conflict"]
    with pytest.raises(Refused, match=r"(?s)nothing was pushed.*taishi-b: version 2 was saved by admin"):
        pushed(grafana, changed)
    assert fake.boards["taishi-a"]["title"] == "停车 parking"
    assert fake.boards["taishi-b"]["refresh"] == "1m"


def test_overwrite_replaces_what_somebody_changed(fake, grafana):
    pushed(grafana)
    fake.edit("taishi-b", refresh="1m")
    assert pushed(grafana, overwrite=True) == {"taishi-b": 3}
    assert "refresh" not in fake.boards["taishi-b"]


def test_what_somebody_edited_to_be_as_ours_is_no_conflict(fake, grafana):
    pushed(grafana)
    fake.edit("taishi-b")
    assert kinds(grafana) == ["same", "same"]


def test_who_saves_between_the_look_and_the_save_wins_and_the_push_says_so(fake, grafana):
    pushed(grafana)
    planned = plan(grafana, [board("taishi-a", "mine"), board("taishi-b", "mine too")])

    def somebody_first():
        fake.before_save = lambda: None
        fake.edit("taishi-a", title="theirs")

    fake.before_save = somebody_first
    with pytest.raises(Conflict, match=r"changed by someone else \(version-mismatch\).*before it: none"):
        push(grafana, planned, "a note")
    assert fake.boards["taishi-a"]["title"] == "theirs"


def test_who_makes_a_board_of_that_uid_meanwhile_wins_too(fake, grafana):
    planned = plan(grafana, BOARDS)
    pushed(grafana, [board("taishi-a", "theirs")])
    with pytest.raises(Conflict, match="name-exists"):
        push(grafana, plan_without_folder(planned), "a note")
    assert fake.boards["taishi-a"]["title"] == "theirs"


def plan_without_folder(planned):
    return type(planned)(planned.release, False, planned.changes, planned.models, planned.held)


def test_a_board_in_another_folder_is_moved(fake, grafana):
    pushed(grafana)
    assert [c.kind for c in plan(grafana, BOARDS, "other").changes] == ["changed", "changed"]
    push(grafana, plan(grafana, BOARDS, "other"), "moved", "other")
    assert set(fake.folder_of.values()) == {"other"}


def test_a_push_that_died_half_way_is_completed_by_the_next(fake, grafana):
    fake.faults.extend([(200, "application/json", '{"version": "11.6.0", "database": "ok"}')])
    planned = plan(grafana, BOARDS)
    grafana.make_folder(FOLDER, "t")
    grafana.save(BOARDS[0], None, {"folderUid": FOLDER, "message": "a note · taishi 000000000000"})
    assert planned.makes_folder
    assert pushed(grafana) == {"taishi-b": 1}
    assert kinds(grafana) == ["same", "same"]


def test_a_provisioned_board_is_refused_with_grafanas_own_words(fake, grafana):
    pushed(grafana)
    fake.provisioned.add("taishi-a")
    with pytest.raises(Refused, match=r"board taishi-a: .*Cannot save provisioned dashboard"):
        pushed(grafana, [board("taishi-a", "other")])


@pytest.mark.parametrize("release_before_11", [True, False])
def test_versions_come_as_a_list_or_in_an_object(fake, grafana, release_before_11):
    pushed(grafana)
    versions = list(fake.versions["taishi-a"])
    if release_before_11:
        fake._get_versions = lambda uid: (200, list(reversed(fake.versions[uid])))
    assert grafana.board("taishi-a").note == versions[0]["message"]


@pytest.mark.parametrize(
    ("token", "says"),
    [
        ("wrong", "answered 401: the token was not accepted; allowed: that of a service account"),
        (VIEWER, "answered 403: the token may not do this; allowed: a service account with the role Editor"),
    ],
)
def test_who_may_not_is_told_what_is_allowed(fake, token, says):
    with (
        closing(Grafana(GrafanaSettings(fake.url, token))) as client,
        pytest.raises(SettingsError, match=says),
    ):
        pushed(client)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ((500, "application/json", '{"message": "database is locked"}'), "failed: .*database is locked"),
        ((502, "text/html", "<html>bad gateway</html>"), "failed: .*bad gateway"),
        ((200, "application/json", "no json"), "answered no JSON; is it the address of a Grafana"),
        ((200, "application/json", '{"status": "pass"}'), "expected a Grafana's health"),
        ((200, "text/html", "<html>hello</html>"), "expected a Grafana's health"),
        ((200, "application/json", '{"version": "11", "database": "failing"}'), "Grafana is not well"),
        ((404, "text/html", "<html>none</html>"), "404 without JSON; is it the address of a Grafana"),
        ((0, "", ""), "cannot be reached"),
    ],
)
def test_a_grafana_that_is_none_or_is_ill_is_an_error_that_names_it(fake, grafana, fault, says):
    fake.faults.append(fault)
    with pytest.raises(SettingsError, match=says):
        plan(grafana, BOARDS)


def test_nobody_at_the_address_is_an_error_and_so_is_one_who_does_not_answer_in_time(fake):
    assert "Grafana at http://127.0.0.1:9 cannot be reached" in refusal("http://127.0.0.1:9")
    fake.holding.clear()
    assert "did not answer within 0.2 s" in refusal(fake.url, timeout_s=0.2)


def test_a_grafana_below_a_path_is_found_there_and_not_beside_it():
    with grafana_fake.fake_grafana(prefix="/grafana") as fake:
        with opened(f"{fake.url}/") as client:
            assert client.release() == "11.6.0"
        assert "is it the address of a Grafana" in refusal(fake.url.removesuffix("/grafana"))


def test_tls_is_checked_against_the_given_ca_and_no_other(certificates):
    given = (certificates.certificate, certificates.key)
    with grafana_fake.fake_grafana(certificate=given) as fake:
        with opened(fake.url, ca_file=certificates.ca) as client:
            assert client.release() == "11.6.0"
        for other in (certificates.other_ca, None):
            told = refusal(fake.url, ca_file=other)
            assert "is not trusted" in told
            assert "set grafana_ca_file" in told


@pytest.mark.parametrize(
    "url",
    ["", "grafana:3000", "ftp://grafana", "http://", "http://me:it@grafana", "http://grafana?verify=false"],
)
def test_an_address_that_is_none_or_holds_a_secret_is_refused(url):
    with pytest.raises(SettingsError, match=r"grafana_address: received .*allowed: http\(s\)://HOST"):
        GrafanaSettings(url, EDITOR)


def test_without_a_token_nothing_is_asked():
    with pytest.raises(SettingsError, match="grafana_token: received nothing"):
        GrafanaSettings("http://grafana:3000", "")


class Cli:
    """`taishi boards push` in this process, with the token in a file."""

    def __init__(self, fake, tmp_path, monkeypatch):
        self.token = tmp_path / "token"
        self.token.write_text(f"{EDITOR}\n")
        monkeypatch.setenv("TAISHI_GRAFANA_ADDRESS", fake.url)
        monkeypatch.setenv("TAISHI_HOME", str(tmp_path))

    def __call__(self, *words):
        given = ["push", "--token-file", str(self.token), *words]
        return CliRunner().invoke(boards_module.boards, given, catch_exceptions=True)


@pytest.fixture
def cli(fake, tmp_path, monkeypatch):
    return Cli(fake, tmp_path, monkeypatch)


def test_the_command_pushes_the_boards_of_the_installation_once(fake, cli):
    first = cli("--message", "first")
    assert first.exit_code == 0, first.output
    assert "taishi-parking" in fake.boards
    assert f"{len(fake.boards)} of {len(fake.boards)} boards pushed to Grafana 11.6.0" in first.output
    again = json.loads(cli("--json").output)
    assert {each["change"] for each in again["boards"]} == {"same"}


def test_a_dry_run_shows_the_diff_pushes_nothing_and_fails_on_a_conflict(fake, cli):
    assert cli().exit_code == 0
    fake.edit("taishi-parking", title="mine")
    told = cli("--dry-run", "--diff")
    assert told.exit_code == 1
    assert "conflict  taishi-parking" in told.output
    assert '- "title": "mine",' in told.output
    assert fake.boards["taishi-parking"]["title"] == "mine"
    assert cli("--dry-run", "--overwrite").exit_code == 0
    assert cli("--overwrite").exit_code == 0
    assert fake.boards["taishi-parking"]["title"] != "mine"


def test_a_token_file_that_is_not_there_is_named(cli, tmp_path):
    cli.token = tmp_path / "nowhere"
    told = cli()
    assert isinstance(told.exception, SettingsError)
    assert "nowhere" in str(told.exception)


def test_the_stand_in_refuses_what_the_api_does_not_name(fake, grafana):
    refused = [
        {"dashboard": board("taishi-a"), "unknown": 1},
        {"dashboard": board("taishi-a", "")},
        {"dashboard": board("x" * 41)},
        {"dashboard": board("taishi-a"), "folderUid": "nowhere"},
        {"dashboard": board("taishi-a"), "overwrite": "yes"},
        {"dashboard": []},
    ]
    for body in refused:
        status, _ = fake.answer(
            *("POST", "/api/dashboards/db", json.dumps(body).encode()),
            {"authorization": f"Bearer {EDITOR}", "content-type": "application/json"},
        )
        assert status == 400, body
    status, _ = fake.answer("POST", "/api/dashboards/db", b"{}", {"authorization": f"Bearer {EDITOR}"})
    assert status == 400
    assert grafana.folder("nowhere") is None
