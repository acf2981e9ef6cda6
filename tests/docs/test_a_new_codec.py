"""docs/a-new-codec.md does what it says: its code is run on its message, and stays as small as promised."""

import json
import re
import sys
import tomllib
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import msgspec
import pytest

from connectors.base import Decoded, Message, Rejected

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "a-new-codec.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def acme(tmp_path_factory):
    (code,) = blocks("python")
    path = tmp_path_factory.mktemp("acme") / "decode.py"
    path.write_text(code, encoding="utf-8")
    spec = spec_from_file_location("acme_decode", path)
    module = module_from_spec(spec)
    sys.modules["acme_decode"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["acme_decode"]


def decoded(acme, payload, **options):
    codec = msgspec.convert(options, acme.CODEC)
    return codec.decode(Message(payload, "/acme", 0), {})


def test_the_message_becomes_what_the_page_expects(acme):
    message, expected, _ = blocks("json")
    (settings,) = blocks("toml")
    result = decoded(acme, message.encode(), **tomllib.loads(settings)["codec_options"]["acme"])
    assert isinstance(result, Decoded)
    names = ("device", "kind", "metric", "value", "observed_at_ms")
    seen = [{name: getattr(o, name) for name in names} for o in result.observations]
    assert seen == json.loads(expected)["observations"]
    assert "张三" not in repr(result)


def test_a_field_that_is_missing_is_named(acme):
    message, _, missing = blocks("json")
    said = {name: value for name, value in json.loads(message).items() if name != "inside"}
    result = decoded(acme, json.dumps(said).encode())
    assert isinstance(result, Rejected)
    assert [[result.reason.value, result.detail]] == json.loads(missing)["rejected"]


def test_a_codec_is_an_afternoon_and_no_more():
    assert (
        sum(block.count("\n") for language in ("python", "json", "toml") for block in blocks(language)) < 150
    )
