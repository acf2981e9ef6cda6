"""What the documents tell people to type works, and what they point to is there."""

import re
import shlex
from pathlib import Path

import click
import pytest

from taishi.cli.main import _COMMANDS, _GROUP
from taishi.promises.sheet import functions, read_promises

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "connectors").rglob("*.md")])
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(taishi [^`\n]+|make [^`\n]+)`")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
TREE = re.compile(
    r"`((?:schemas|connectors|pipelines|simulation|deploy|taishi|benchmarks|tests|docs)/[\w./-]+)`"
)


def named(path):
    return path.relative_to(ROOT).as_posix()


def commands(document):
    """Every command of a document: lines of `sh` blocks, and what stands in `code` and begins as one."""
    text = document.read_text(encoding="utf-8")
    for block in BLOCK.findall(text):
        for line in block.splitlines():
            if line.startswith(("make ", "taishi ")):
                yield shlex.split(line, comments=True)
    for inline in INLINE.findall(BLOCK.sub("", text)):
        yield from (shlex.split(word) for word in spread(inline))


def spread(inline):
    """`taishi quarantine list|show` means each; a placeholder ends what can be checked."""
    words = inline.replace("…", "").split()
    heads = [[]]
    for word in words:
        if not re.fullmatch(r"[\w.|=:/-]+", word) or word.isupper():
            break
        heads = [[*head, each] for head in heads for each in word.split("|")]
    return [" ".join(head) for head in heads]


def all_commands(prefix):
    return [(named(d), w) for d in DOCUMENTS for w in commands(d) if w[0].endswith(prefix)]


@pytest.mark.parametrize(
    ("document", "words"), all_commands("make"), ids=lambda x: " ".join(x) if isinstance(x, list) else x
)
def test_make_targets_exist(document, words):
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert words[1] in targets


@pytest.mark.parametrize(
    ("document", "words"), all_commands("taishi"), ids=lambda x: " ".join(x) if isinstance(x, list) else x
)
def test_commands_and_their_options_exist(document, words):
    command, rest = _GROUP, words[1:]
    context = click.Context(command, info_name="taishi")
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        name, *rest = rest
        following = command.get_command(context, name)
        assert following is not None, f"{document}: no command {name!r} in {' '.join(words)!r}"
        command, context = following, click.Context(following, info_name=name, parent=context)
    options = {opt for param in command.params for opt in (*param.opts, *param.secondary_opts)}
    used = {word.split("=")[0] for word in rest if word.startswith("--")}
    assert used <= options | {"--help"}, f"{document}: {' '.join(words)}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_links_and_named_files_exist(document):
    text = document.read_text(encoding="utf-8")
    links = [document.parent / link for link in LINK.findall(text) if "://" not in link]
    # A decision also names what it decided against.
    files = [] if document.parent.name == "decisions" else [ROOT / name for name in TREE.findall(text)]
    missing = [str(path) for path in (*links, *files) if not path.exists()]
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_tests_that_are_named_exist(document):
    named_tests = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", document.read_text(encoding="utf-8"))
    missing = [
        f"{path}::{name}"
        for path, name in named_tests
        if not (ROOT / path).is_file() or f"def {name}(" not in (ROOT / path).read_text(encoding="utf-8")
    ]
    assert not missing


def test_every_promise_kept_names_its_test():
    text = (ROOT / "PROMISES.md").read_text(encoding="utf-8").split("## Late")[0]
    promises = re.findall(r"^- \*\*.*?(?=^- |^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert promises
    assert [promise for promise in promises if "`tests/" not in promise] == []


def test_every_test_a_promise_names_exists():
    promises = read_promises(ROOT)
    assert sum(bool(promise.tests) for promise in promises) > 90
    assert functions((test for promise in promises for test in promise.tests), ROOT)


def test_every_decision_is_listed():
    folder = ROOT / "docs" / "decisions"
    listed = (folder / "README.md").read_text(encoding="utf-8")
    assert [p.name for p in sorted(folder.glob("0*.md")) if f"({p.name})" not in listed] == []


def test_the_readme_opens_with_the_two_commands():
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert [line.split("#")[0].strip() for line in lines[3:5]] == ["make up", "make test"]


def all_below(command):
    yield command
    for each in command.commands.values() if isinstance(command, click.Group) else ():
        yield from all_below(each)


@pytest.mark.parametrize("name", _COMMANDS)
def test_every_command_has_help(name):
    command = _GROUP.get_command(click.Context(_GROUP), name)
    assert command is not None
    assert (command.help or "").strip()
    shown = [each.name for each in all_below(command) if "\\b" in (each.help or "")]
    assert shown == [], "click's mark for lines that stay lines is the character, not its escape"
