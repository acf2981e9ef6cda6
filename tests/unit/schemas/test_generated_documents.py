"""The generated documents: fresh, sound, and saying the same as the structs that read the wire."""

import json
from pathlib import Path

import jsonschema
import msgspec
import pytest
from referencing import Registry, Resource

from schemas.acts import Act
from schemas.alerts import Alert
from schemas.generate import documents
from schemas.kinds import KINDS
from schemas.measures import MEASURES
from schemas.readings import Reading
from schemas.signals import Signal
from schemas.topics import TOPICS
from schemas.windows import Progress, Window

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "schemas" / "examples"
STRUCTS = {"signal": Signal, "window": Window, "progress": Progress, "alert": Alert, "act": Act}


def examples(kind):
    return sorted((EXAMPLES / kind).rglob("*.json"))


def document_of(example):
    return example.parent.relative_to(EXAMPLES / example.relative_to(EXAMPLES).parts[0]).as_posix()


def struct_of(example):
    return STRUCTS.get(document_of(example), Reading)


def validator(name):
    registry = Registry().with_resources(
        (f"https://schemas.invalid/{path}", Resource.from_contents(schema))
        for path, schema in documents().items()
        if path != "asyncapi.json"
    )
    schema = {
        "$schema": jsonschema.Draft202012Validator.META_SCHEMA["$id"],
        "$ref": f"https://schemas.invalid/{name}.json",
    }
    return jsonschema.Draft202012Validator(schema, registry=registry)


@pytest.mark.parametrize("name", [name for name in documents() if name != "asyncapi.json"])
def test_every_schema_is_valid_json_schema_2020_12(name):
    jsonschema.Draft202012Validator.check_schema(documents()[name])


@pytest.mark.parametrize("name", sorted(documents()))
def test_the_written_documents_say_what_the_code_says(name):
    written = json.loads((ROOT / "schemas" / "generated" / name).read_text(encoding="utf-8"))
    assert written == documents()[name], "run `taishi schemas write`"


@pytest.mark.parametrize("example", examples("valid"), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_valid_examples_are_taken_by_the_schema_and_by_the_reader(example):
    validator(document_of(example)).validate(json.loads(example.read_text(encoding="utf-8")))
    msgspec.json.decode(example.read_bytes(), type=struct_of(example))


@pytest.mark.parametrize("example", examples("invalid"), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_invalid_examples_are_refused_by_the_schema(example):
    assert not validator(document_of(example)).is_valid(json.loads(example.read_text(encoding="utf-8")))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_valid_example(kind):
    assert list((EXAMPLES / "valid" / "kinds" / kind).glob("*.json"))


@pytest.mark.parametrize("example", examples("valid"), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_reader_of_today_takes_a_field_added_tomorrow(example):
    message = json.loads(example.read_text(encoding="utf-8"))
    struct = struct_of(example)
    later = json.dumps(message | {"added_in_v2": {"any": ["thing"]}}).encode()
    assert msgspec.json.decode(later, type=struct) == msgspec.json.decode(example.read_bytes(), type=struct)
    assert validator(document_of(example)).is_valid(json.loads(later))


@pytest.mark.parametrize("key", [(k.name, m.name) for k in KINDS.values() for m in k.metrics])
def test_plausible_bounds_are_part_of_the_schema(key):
    kind, name = key
    metric = next(m for m in KINDS[kind].metrics if m.name == name)
    example = json.loads(
        next((EXAMPLES / "valid" / "kinds" / kind).glob("*.json")).read_text(encoding="utf-8")
    )
    check = validator(f"kinds/{kind}")
    for value, fits in (
        (metric.low, True),
        (metric.high, True),
        (metric.low - 1, False),
        (metric.high + 1, False),
    ):
        assert check.is_valid(example | {"metric": name, "value": value}) is fits


def test_a_window_must_carry_every_measure_of_its_domain():
    for domain in MEASURES:
        whole = json.loads((EXAMPLES / "valid" / "window" / f"{domain}.json").read_text(encoding="utf-8"))
        for measure in MEASURES[domain]:
            less = {name: value for name, value in whole["metrics"].items() if name != measure.name}
            assert not validator("window").is_valid(whole | {"metrics": less}), measure.name


def test_asyncapi_describes_every_topic_as_it_is_created():
    channels = documents()["asyncapi.json"]["channels"]
    assert list(channels) == list(TOPICS)
    for name, topic in TOPICS.items():
        binding = channels[name]["bindings"]["kafka"]
        assert binding["partitions"] == topic.partitions
        assert binding["topicConfiguration"].keys() == topic.config.keys()


def test_asyncapi_references_lead_somewhere():
    document = documents()["asyncapi.json"]
    messages = document["components"]["messages"]
    named = {ref["$ref"] for channel in document["channels"].values() for ref in channel["messages"].values()}
    assert named == {f"#/components/messages/{name}" for name in messages}
    files = {m["payload"]["schema"]["$ref"] for m in messages.values() if "schema" in m["payload"]}
    assert files <= {f"./{name}" for name in documents()}
