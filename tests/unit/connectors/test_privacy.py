"""People become pseudonyms, refused bytes are sealed, and only the keys lead back."""

import json
import multiprocessing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Device, Location, Message, Observation, Rejected
from connectors.judge import judge
from connectors.privacy.guard import KeyedGuard
from connectors.privacy.keys import KeyFile, Keys, create_keys, forget_key, read_keys, rotate_keys
from connectors.privacy.mask import mask
from connectors.privacy.pseudonyms import PSEUDONYM, pseudonym, pseudonyms
from connectors.privacy.seal import OVERHEAD_BYTES, SealBroken, seal, unseal
from connectors.resolve import Resolver
from schemas.errors import SettingsError
from schemas.quarantine import Reason

ONE, TWO = Keys({1: b"a" * 32}), Keys({1: b"a" * 32, 2: b"b" * 32})
GRID = "370202001001001"
AT_MS = 1_795_392_000_000


class Everywhere:
    def locate(self, _lon, _lat):
        return GRID

    def has_grid(self, code):
        return code == GRID


@pytest.fixture
def path(tmp_path):
    create_keys(tmp_path / "keys.json")
    return tmp_path / "keys.json"


def guard(path):
    return KeyedGuard(KeyFile(path))


def seen(**fields):
    return Observation("Patient/7", "care.vitals", "heart_rate", 70.0, AT_MS, personal=True, **fields)


# keys


def test_the_first_key_is_made_once_and_for_its_owner_only(path):
    before = path.read_bytes()
    create_keys(path)
    assert path.read_bytes() == before
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path], "nothing unfinished is left beside it"


def _create_and_tell(path, keys):
    create_keys(path)
    keys.put(read_keys(path).versions[1])


def test_processes_that_start_at_once_agree_on_one_key(tmp_path):
    context = multiprocessing.get_context("fork")
    told = context.Queue()
    together = [
        context.Process(target=_create_and_tell, args=(tmp_path / "k" / "keys.json", told)) for _ in range(8)
    ]
    for each in together:
        each.start()
    assert len({told.get(timeout=30) for _ in together}) == 1
    for each in together:
        each.join()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"1": 7}', '{"1": "YQ=="}', '{"0": ""}', '{"x": "YQ=="}', "null"]
)
def test_a_file_that_holds_something_else_is_refused_without_showing_it(path, text):
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"keys_file .*allowed: version"):
        read_keys(path)


def test_a_file_that_others_can_read_is_refused(path):
    path.chmod(0o640)
    with pytest.raises(SettingsError, match="chmod 600"):
        read_keys(path)


def test_a_rotated_key_makes_and_the_older_ones_read(path):
    file = KeyFile(path)
    old = pseudonym(file.keys, "Patient/7")
    assert not file.refresh()
    assert rotate_keys(path) == 2
    assert file.refresh()
    assert pseudonym(file.keys, "Patient/7").startswith("p2-")
    assert pseudonyms(file.keys, "Patient/7")[1] == old


def test_only_an_older_key_can_be_forgotten(path):
    with pytest.raises(SettingsError, match="rotate first"):
        forget_key(path, 1)
    sealed = seal(read_keys(path), b"secret")
    rotate_keys(path)
    with pytest.raises(SettingsError, match="received 2, allowed: 1"):
        forget_key(path, 2)
    forget_key(path, 1)
    with pytest.raises(SealBroken, match=r"sealed under key 1, .*it holds 2"):
        unseal(read_keys(path), sealed)


# pseudonyms and seals


@given(st.text(), st.text())
def test_one_person_is_one_pseudonym_and_two_are_two(one, other):
    assert (pseudonym(ONE, one) == pseudonym(ONE, other)) == (one == other)
    assert PSEUDONYM.fullmatch(pseudonym(ONE, one))


def test_another_key_is_another_pseudonym():
    assert pseudonym(ONE, "x") == pseudonym(TWO, "x", 1)
    assert pseudonym(TWO, "x")[3:] != pseudonym(TWO, "x", 1)[3:]


@given(st.binary(max_size=2_000))
def test_what_was_sealed_opens_whole_and_shows_nothing(payload):
    sealed = seal(TWO, payload)
    assert unseal(TWO, sealed) == payload
    assert len(sealed) == len(payload) + OVERHEAD_BYTES
    assert len(payload) < 8 or payload not in sealed[OVERHEAD_BYTES - 16 :]
    assert seal(TWO, payload) != sealed


@given(st.data())
def test_a_changed_seal_does_not_open(data):
    sealed = bytearray(seal(TWO, b"a message"))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(SealBroken):
        unseal(TWO, bytes(sealed))


def test_what_was_never_sealed_says_so():
    with pytest.raises(SealBroken, match="not sealed here"):
        unseal(TWO, b"{}")


# the door


def test_an_unregistered_person_with_a_place_is_a_pseudonym_and_nowhere_the_identity(path):
    resolver = Resolver({}, Everywhere(), guard(path))
    reading = resolver.reading(seen(location=Location(120.4, 36.1, "WGS-84")), "http.fhir", AT_MS)
    assert reading.device == reading.subject == pseudonym(read_keys(path), "Patient/7")
    assert "Patient/7" not in repr(reading)


def test_a_person_is_found_by_the_pseudonym_of_an_older_key(path):
    old = pseudonym(read_keys(path), "Patient/7")
    rotate_keys(path)
    devices = {old: Device(old, "", "care.vitals", GRID, None, old, None, False)}
    reading = Resolver(devices, Everywhere(), guard(path)).reading(seen(), "http.fhir", AT_MS)
    assert (reading.grid, reading.device, reading.subject) == (GRID, old, old)


def test_a_subject_that_a_message_names_is_replaced_and_a_pseudonym_is_kept(path):
    given_name = Observation("bed-1", "care.bed", "in_bed", 1.0, AT_MS, subject="张三",
                             location=Location(120.4, 36.1, "WGS-84"))  # fmt: skip
    resolver = Resolver({}, Everywhere(), guard(path))
    subject = resolver.reading(given_name, "s", AT_MS).subject
    assert PSEUDONYM.fullmatch(subject)
    again = Observation("bed-1", "care.bed", "in_bed", 1.0, AT_MS, subject=subject,
                        location=Location(120.4, 36.1, "WGS-84"))  # fmt: skip
    assert resolver.reading(again, "s", AT_MS).subject == subject


def test_what_is_refused_is_sealed_and_says_so(path):
    message = Message('{"name": "张三"}'.encode(), "/fhir", AT_MS)
    refused = Rejected(Reason.MALFORMED, "why")
    (record,) = judge(message, refused, "http.fhir", Resolver({}, Everywhere(), guard(path))).records
    assert "张三".encode() not in record.value
    assert dict(record.headers)["sealed"] == b"1"
    assert unseal(read_keys(path), record.value) == message.payload


def test_what_a_refusal_quotes_of_the_message_is_sealed_too(path):
    refused = Rejected(Reason.UNKNOWN_DEVICE, "received device '欧阳某 13900001111', allowed: another")
    message = Message(b"{}", "/senml", AT_MS)
    (record,) = judge(message, refused, "http.senml", Resolver({}, Everywhere(), guard(path))).records
    headers = dict(record.headers)
    assert not any("欧阳某".encode() in value or b"139" in value for value in headers.values())
    assert unseal(read_keys(path), headers["detail"]).decode() == refused.detail


# what is shown


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "张三", "age": 7}',
        '{"Name":"张 \\" 三","age": 7}',
        '{"name": ["张三", "李四"], "age": 7}',
        '{"age": 7, "name": "张三',
        '{"age": 7, "name": {"family": "张三',
        "<a><name>张三</name><age>7</age></a>",
        '<h:NAME x="1">张三</h:NAME><age>7</age>',
        '<p name="张三" age="7"/>',
        "<age>7</age><name>张三",
    ],
)
def test_personal_values_are_masked_whole_or_cut(text):
    shown = mask(text, {"name"})
    assert "三" not in shown
    assert "四" not in shown
    assert "7" in shown


def test_a_mask_of_no_names_changes_nothing():
    text = json.dumps({"a": 1})
    assert mask(text, ()) == mask(text, {"b"}) == text
