"""`taishi senders` and its file: what is kept, what is printed once, what is refused."""

from __future__ import annotations

import hashlib
import json
import stat
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from connectors.http.trust import Token
from deploy.embedded.mqtt_trust import MqttUser, MqttUsers, hash_password, password_fits
from schemas.errors import SettingsError
from taishi import senders as of
from taishi.cli.senders import senders
from taishi.doors import http_guard, is_loopback, tls_pair
from taishi.mosquitto import access_list
from taishi.settings import Settings
from tests.waiting import wait_until


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "senders.toml"
    monkeypatch.setenv("TAISHI_HOME", str(tmp_path / "home"))  # of the record
    monkeypatch.setenv("TAISHI_SENDERS_FILE", str(path))
    return path


def run(*words: str) -> str:
    result = CliRunner().invoke(senders, words, catch_exceptions=True)
    if result.exception is not None:
        raise result.exception
    return result.stdout


def test_a_token_is_printed_once_and_kept_as_a_hash(file: Path) -> None:
    secret = run("add", "camera-7", "--paths", "/hikvision,/readings").strip()
    assert len(secret) == 43
    assert secret not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (entry,) = of.read(file)
    assert entry.paths == ("/hikvision", "/readings")
    shown = Token(hashlib.sha256(secret.encode()).digest())
    assert of.trust_of([entry]).admits(shown, "/hikvision", 0).name == "camera-7"


def test_a_sender_may_have_one_secret_for_both_doors(file: Path) -> None:
    said = json.loads(run("add", "gw", "--paths", "/readings", "--hmac", "--mqtt", "--json"))
    assert (said["shows"], said["topics"]) == (["hmac", "mqtt"], ["taishi/readings/%u"])
    (user,) = of.users_of(of.read(file))
    assert password_fits(said["secret"], user.password)
    users = MqttUsers([user])
    assert users.may_publish("gw", "taishi/readings/gw")
    assert not users.may_publish("gw", "taishi/readings/other")
    assert not users.may_subscribe("gw")


def test_list_and_remove_show_no_secret_and_name_what_is_there(file: Path) -> None:
    secret = run("add", "connect-mqtt", "--mqtt", "--connector").strip()
    assert secret not in run("list") + run("list", "--json")
    assert json.loads(run("list", "--json")) == [
        {"name": "connect-mqtt", "shows": ["mqtt"], "paths": [], "topics": [], "subscribes": True}
    ]
    with pytest.raises(SettingsError, match="received other, allowed: connect-mqtt"):
        run("remove", "other")
    with pytest.raises(SettingsError, match="which is there"):
        run("add", "connect-mqtt", "--mqtt")
    run("remove", "connect-mqtt")
    assert of.read(file) == ()


@pytest.mark.parametrize(
    "words",
    [
        ["a b", "--mqtt"],
        ["a/b", "--mqtt"],
        ["a", "--paths", "readings"],
        ["a", "--mqtt", "--topics", "a/%u%u"],
    ],
)
def test_what_may_not_be_is_refused_before_the_file_is_touched(file: Path, words: list[str]) -> None:
    with pytest.raises(SettingsError, match="allowed"):
        run("add", *words)
    assert not file.exists()


@pytest.mark.parametrize("words", [["a"], ["a", "--hmac", "--mqtt"], ["a", "--paths", "/x", "--connector"]])
def test_options_that_do_not_go_together_are_misuse(file: Path, words: list[str]) -> None:
    assert CliRunner().invoke(senders, ["add", *words]).exit_code == 2


def test_without_the_setting_the_command_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TAISHI_SENDERS_FILE", raising=False)
    with pytest.raises(SettingsError, match="TAISHI_SENDERS_FILE"):
        run("add", "a", "--mqtt")


def test_a_file_others_can_read_is_refused_with_what_to_do(file: Path) -> None:
    run("add", "a", "--mqtt")
    file.chmod(0o644)
    with pytest.raises(SettingsError, match=r"received mode 0644.*chmod 600"):
        of.read(file)


@pytest.mark.parametrize(
    "text",
    [
        "[[sender]]\nname='a'\n",
        "[[sender]]\nname='a'\npassword='plain'\n",
        "[[sender]]\nname='a'\ntoken='x'\n",
        "[[sender]]\nname='a'\nhmac_key='c2hvcnQ='\n",
        "[[sender]]\nname=7\n",
        "no toml",
    ],
)
def test_a_broken_file_is_refused_and_its_secrets_not_quoted(file: Path, text: str) -> None:
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(SettingsError) as caught:
        of.read(file)
    assert "plain" not in str(caught.value)
    assert "c2hvcnQ" not in str(caught.value)


def test_a_change_is_followed_and_a_broken_one_is_not(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of, "_LOOK_S", 0.02)
    run("add", "a", "--mqtt")
    seen: list[list[str]] = []
    of.follow(file, lambda entries: seen.append([entry.name for entry in entries]))
    assert seen == [["a"]]
    run("add", "b", "--mqtt")
    wait_until(lambda: seen[-1] == ["a", "b"])
    broken = file.with_name("broken")  # put there whole: a file that is being written is empty for a moment
    broken.touch(0o600)
    broken.write_text("no toml")
    broken.replace(file)
    threading.Event().wait(0.2)
    assert seen[-1] == ["a", "b"]
    file.unlink()
    run("add", "c", "--mqtt")
    wait_until(lambda: seen[-1] == ["c"])


def test_two_editors_lose_nothing_of_each_other(file: Path) -> None:
    def adds(first: int) -> None:
        for number in range(first, first + 10):
            with of.editing(file) as entries:
                entries.append(of.new_entry(f"s{number}", mqtt=True)[0])

    threads = [threading.Thread(target=adds, args=(first,)) for first in (0, 10, 20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(of.read(file)) == 30


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.org"])  # noqa: S104 - to be refused
def test_an_open_door_to_others_is_refused_with_what_to_do(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(SettingsError, match=f"received {host} without senders_file.*taishi senders add"):
        http_guard(Settings(http_host=host))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_loopback_may_be_open(host: str) -> None:
    assert http_guard(Settings(http_host=host)) is not None


def test_a_senders_file_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="does not exist"):
        http_guard(Settings(senders_file=tmp_path / "none.toml"))


def test_half_a_pair_of_tls_files_or_none_of_tls_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pem").write_text("not a certificate")
    assert tls_pair("http_tls", None, None) is None
    with pytest.raises(SettingsError, match="allowed: both"):
        tls_pair("http_tls", tmp_path / "a.pem", None)
    with pytest.raises(SettingsError, match=r"http_tls_certificate .*a\.pem"):
        tls_pair("http_tls", tmp_path / "a.pem", tmp_path / "a.pem")


def test_the_access_list_gives_each_its_own_and_reading_to_connectors_alone() -> None:
    users = [MqttUser("d1", "", ("taishi/readings/%u",)), MqttUser("c", "", (), subscribes=True)]
    assert access_list(users).split("\n\n", 1)[1] == (
        "user d1\ntopic write taishi/readings/d1\n\nuser c\ntopic read #\n"
    )


@given(st.text(max_size=50), st.binary(min_size=1, max_size=20), st.integers(1, 200))
def test_a_kept_password_fits_itself_and_no_other(password: str, salt: bytes, iterations: int) -> None:
    kept = hash_password(password, salt, iterations)
    assert password_fits(password, kept)
    assert not password_fits(password + "x", kept)


@given(st.text() | st.text().map("$7${}".format) | st.integers(0, 20_000).map("$7${}$AA==$AA==".format))
def test_whatever_is_kept_fits_nothing_by_chance(kept: str) -> None:
    assert not password_fits("x", kept)


@given(st.text(alphabet="ab/+#%u$", max_size=12))
def test_a_topic_of_another_is_never_a_devices_own(topic: str) -> None:
    users = MqttUsers([MqttUser("a", "", ("b/%u", "a/+/%u"))])
    allowed = topic == "b/a" or (topic.split("/")[::2] == ["a", "a"] and topic.count("/") == 2)
    assert users.may_publish("a", topic) == (allowed and not set("+#") & set(topic))
    assert not users.may_publish("b", topic)
