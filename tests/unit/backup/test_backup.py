"""What a backup is made of: the image of a folder that changes, the seal of keys, refusals, deaths."""

import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from connectors.privacy.keys import create_keys
from taishi.backup import vault
from taishi.backup.frozen import frozen
from taishi.backup.manifest import FILE, BackupError, read_manifest
from taishi.backup.mirror import Mirror
from taishi.backup.restore import restore
from taishi.backup.take import take
from taishi.cli.backup import backup as backup_command
from taishi.settings import load_settings

KEY = bytes(range(32))


def content(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_an_image_follows_what_is_added_replaced_and_gone(tmp_path):
    source, image = tmp_path / "source", tmp_path / "image"
    (source / "topic-0").mkdir(parents=True)
    segment, mark = source / "topic-0" / "0.log", source / "mark"
    segment.write_bytes(b"one")
    mark.write_bytes(b"3")
    image.mkdir()
    (image / "of an earlier backup").write_bytes(b"old")
    (source / ".lock").write_bytes(b"")
    mirror = Mirror(source, image)
    assert mirror.follow() == 4
    assert content(image) == {"topic-0/0.log": b"one", "mark": b"3"}
    assert mirror.follow() == 0
    with segment.open("ab") as more:
        more.write(b", two")
    mark.with_name("new").write_bytes(b"8")
    mark.with_name("new").replace(mark)
    assert mirror.follow() == len(b", two") + len(b"8")  # a segment's tail alone
    compacted = segment.with_name("swap")
    compacted.write_bytes(b"two, cleaned of one")
    compacted.replace(segment)  # longer than before, and another file
    mirror.follow()
    assert content(image)["topic-0/0.log"] == b"two, cleaned of one"
    shutil.rmtree(source / "topic-0")
    mirror.follow()
    assert content(image) == {"mark": b"8"}
    ahead = source / "0.index"
    ahead.write_bytes(b"entries" + bytes(10 << 20))
    mirror.follow()
    assert content(image)["0.index"] == ahead.read_bytes()
    assert (image / "0.index").stat().st_blocks * 512 < 3 << 20  # a hole stays one


COUNTING = """
import itertools, sys
for n in itertools.count():
    sys.stdout.write(f"{n}\\n")
    sys.stdout.flush()
"""


def test_who_is_frozen_stands_still_and_goes_on_whatever_happens_meanwhile(tmp_path):
    said = tmp_path / "said"
    with said.open("wb") as output:
        counting = subprocess.Popen([sys.executable, "-c", COUNTING], stdout=output)
    try:
        while said.stat().st_size < 100:
            os.sched_yield()

        def copied():
            with frozen([counting.pid]):
                before = said.stat().st_size
                for _ in range(1_000):
                    os.sched_yield()
                assert said.stat().st_size == before
                raise OSError("No space left on device")

        with pytest.raises(OSError, match="No space left"):
            copied()
        before = said.stat().st_size
        while said.stat().st_size == before:
            os.sched_yield()
    finally:
        counting.kill()
        counting.wait()


def test_the_vault_opens_with_its_key_and_no_other(tmp_path):
    path = tmp_path / "vault.key"
    key = vault.read_key(path, make=True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert vault.read_key(path) == key != vault.read_key(tmp_path / "other.key", make=True)
    sealed = vault.seal_vault(key, {"keys.json": b"secret"})
    assert b"secret" not in sealed
    assert vault.open_vault(key, sealed) == {"keys.json": b"secret"}
    for wrong, data in ((KEY, sealed), (key, sealed[:-1] + bytes([sealed[-1] ^ 1])), (key, b"")):
        with pytest.raises(BackupError, match="does not open it"):
            vault.open_vault(wrong, data)
    path.chmod(0o644)
    with pytest.raises(BackupError, match=r"permissions for others 044.*chmod 600"):
        vault.read_key(path)


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A stopped installation with something of everything."""
    home = tmp_path / "home"
    (home / "data" / "kafka" / "alerts-0").mkdir(parents=True)
    (home / "data" / "kafka" / "alerts-0" / "0.log").write_bytes(b"records")
    (home / "data" / "influxdb").mkdir()
    (home / "data" / "influxdb" / "1.tsm").write_bytes(b"points")
    with sqlite3.connect(home / "data" / "operations.db") as database:
        database.execute("CREATE TABLE cases (id)")
        database.execute("INSERT INTO cases VALUES (7)")
    database.close()
    (home / "devices.csv").write_text("device\n")
    create_keys(home / "keys.json")
    monkeypatch.setenv("TAISHI_HOME", str(home))
    return home


def destroyed(home):
    lost = content(home)
    shutil.rmtree(home)
    return lost


def test_what_was_destroyed_is_back_and_keys_with_their_key_only(installed, tmp_path):
    target = tmp_path / "backup"
    taken = take(load_settings(), target, KEY)
    assert b"sha256" in (target / FILE).read_bytes()
    assert taken.stood_s == 0  # nothing ran
    keys = (installed / "keys.json").read_bytes()
    assert all(keys not in data for data in content(target).values())
    lost = destroyed(installed)
    with pytest.raises(BackupError, match="sealed keys, allowed: --vault-key FILE, or --without-vault"):
        restore(load_settings(), target, None)
    with pytest.raises(BackupError, match="does not open it"):
        restore(load_settings(), target, bytes(32))
    assert not installed.exists()
    done = restore(load_settings(), target, KEY)
    assert done.opened == (installed / "keys.json",)
    assert done.opened[0].stat().st_mode & 0o777 == 0o600
    assert {name: data for name, data in content(installed).items() if name != "data/operations.db"} == {
        name: data for name, data in lost.items() if name != "data/operations.db"
    }
    with sqlite3.connect(installed / "data" / "operations.db") as database:
        assert database.execute("SELECT id FROM cases").fetchall() == [(7,)]
    database.close()


def test_without_its_vault_all_else_is_restored(installed, tmp_path):
    take(load_settings(), tmp_path / "backup", KEY)
    destroyed(installed)
    assert restore(load_settings(), tmp_path / "backup", None, without_vault=True).opened == ()
    assert (installed / "data" / "kafka" / "alerts-0" / "0.log").exists()
    assert not (installed / "keys.json").exists()


def test_an_installation_that_runs_or_has_something_is_never_written_over(installed, tmp_path):
    target = tmp_path / "backup"
    take(load_settings(), target, None)
    with pytest.raises(BackupError, match="not empty; move it away"):
        restore(load_settings(), target, None)
    shutil.rmtree(installed / "data")
    (installed / "devices.csv").write_text("device\nanother\n")
    with pytest.raises(BackupError, match=r"devices.csv: received other content"):
        restore(load_settings(), target, None)
    (installed / "devices.csv").unlink()
    (installed / "pids").mkdir()
    with (installed / "pids" / "supervisor.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BackupError, match="received a running installation"):
            restore(load_settings(), target, None)
    with pytest.raises(BackupError, match="backup of district 370202, allowed: 370203"):
        restore(load_settings(district="370203"), target, None)
    assert not (installed / "data").exists()
    restore(load_settings(), target, None)


def test_a_backup_that_is_not_whole_is_refused_before_anything_is_written(installed, tmp_path):
    target = tmp_path / "backup"
    take(load_settings(), target, None)
    destroyed(installed)
    segment = target / "data" / "kafka" / "alerts-0" / "0.log"
    segment.write_bytes(b"recordz")
    with pytest.raises(BackupError, match=r"1 files are missing, changed.*kafka/alerts-0/0.log"):
        restore(load_settings(), target, None)
    segment.unlink()
    with pytest.raises(BackupError, match="1 files are missing"):
        restore(load_settings(), target, None)
    (target / FILE).unlink()
    with pytest.raises(BackupError, match=r"without manifest.json, allowed: a backup that was finished"):
        restore(load_settings(), target, None)
    assert not installed.exists()


def test_a_backup_that_dies_is_none_and_the_next_one_is_whole(installed, tmp_path, monkeypatch):
    target = tmp_path / "backup"
    take(load_settings(), target, None)

    def full(_mirror):
        raise OSError("No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Mirror, "follow", full)
        with pytest.raises(OSError, match="No space left"):
            take(load_settings(), target, None)
    with pytest.raises(BackupError, match="allowed: a backup that was finished"):
        read_manifest(target)
    take(load_settings(), target, None)
    assert read_manifest(target).files


def test_a_restore_that_dies_leaves_no_data_and_the_next_one_begins_anew(installed, tmp_path, monkeypatch):
    target = tmp_path / "backup"
    take(load_settings(), target, KEY)
    destroyed(installed)

    def dies(_folder, _target):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", dies)
        with pytest.raises(KeyboardInterrupt):
            restore(load_settings(), target, KEY)
    torn = installed / "data.restoring" / "kafka" / "alerts-0" / "0.log"
    torn.write_bytes(torn.read_bytes()[:3])
    assert not (installed / "data").exists()
    restore(load_settings(), target, KEY)
    assert (installed / "data" / "kafka" / "alerts-0" / "0.log").read_bytes() == b"records"
    assert not (installed / "data.restoring").exists()


def test_what_is_not_ours_is_named_and_a_strange_folder_is_left_alone(installed, tmp_path, monkeypatch):
    monkeypatch.setenv("TAISHI_KAFKA_ADDRESS", "kafka:9092")
    monkeypatch.setenv("TAISHI_OPERATIONS_DATABASE", "postgresql+psycopg://taishi:hunter2@postgres/taishi")
    shown = CliRunner().invoke(backup_command, [str(tmp_path / "backup")])
    assert shown.exit_code == 0, shown.output
    assert "the log (kafka:9092): back it up by its own means" in shown.output
    assert "give --vault-key to take them, sealed" in shown.output
    assert "hunter2" not in shown.output + Path(tmp_path, "backup", FILE).read_text()
    strange = tmp_path / "strange"
    strange.mkdir()
    (strange / "thesis.doc").write_bytes(b"mine")
    with pytest.raises(BackupError, match=r"a folder with thesis.doc, allowed: an empty one"):
        take(load_settings(), strange, None)
    assert content(strange) == {"thesis.doc": b"mine"}
