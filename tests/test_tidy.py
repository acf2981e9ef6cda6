"""Rules of the tree that no linter knows: layers, banned calls, sizes. Each fails with the whole list."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OURS = (
    *("schemas", "connectors", "pipelines", "simulation", "deploy", "dashboards", "operations"),
    *("taishi", "benchmarks", "examples"),
)

MAY_IMPORT = {
    "schemas": {"schemas"},
    "connectors": {"schemas", "connectors"},
    "pipelines": {"schemas", "pipelines"},
    "simulation": {"schemas", "simulation"},
    "deploy": {"schemas", "deploy"},
    "dashboards": {"schemas", "dashboards"},
    "operations": {"schemas", "operations"},
    "taishi": set(OURS),
    "benchmarks": set(OURS),
    "examples": set(OURS),
}
PURE = ("schemas", "pipelines/kernels")
PURE_MAY_NOT_IMPORT = {
    "amqtt", "apache_beam", "confluent_kafka", "httpx", "influxdb_client", "kafka", "paho",
    "prometheus_client", "requests", "socket", "starlette", "structlog", "subprocess", "urllib", "uvicorn",
}  # fmt: skip
CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns",
          "time.monotonic", "time.perf_counter"}  # fmt: skip
LINES_MAX, TEST_LINES_MAX, BODY_LINES_MAX = 400, 600, 60
MARKS = re.compile(r"\b(TO" + "DO|FIX" + r"ME)\b")  # split, so that this file passes its own rule


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(p for p in (ROOT / folder).rglob("*.py") if "__pycache__" not in p.parts)


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(module: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and full name of everything imported, at the top or inside a function."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.lineno, node.module or ""


def calls(module: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and the last two parts of the name of everything called: `time.sleep`, `datetime.now`, `print`."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            yield node.lineno, ".".join(ast.unparse(node.func).split(".")[-2:])


def bodies(module: ast.AST) -> Iterator[tuple[int, str, int]]:
    """Line, name and length in lines, docstring not counted, of every function."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            yield node.lineno, node.name, (node.body[-1].end_lineno or 0) - first.lineno + 1


def listed(problems: list[str], rule: str) -> None:
    if problems:
        pytest.fail(f"{rule}:\n  " + "\n  ".join(problems), pytrace=False)


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_only_the_layers_below_it(package):
    problems = [
        f"{named(path)}:{line} imports {name}"
        for path in sources(package)
        for line, name in imports(tree(path))
        if name.split(".")[0] in OURS and name.split(".")[0] not in MAY_IMPORT[package]
    ]
    listed(problems, f"{package} may import {', '.join(sorted(MAY_IMPORT[package]))}")


def test_what_is_pure_imports_neither_beam_nor_kafka_nor_influxdb_nor_http():
    problems = [
        f"{named(path)}:{line} imports {name}"
        for path in sources(*PURE)
        for line, name in imports(tree(path))
        if name.split(".")[0] in PURE_MAY_NOT_IMPORT
    ]
    listed(problems, "schemas and pipelines/kernels are pure")


def test_what_is_pure_is_told_the_time():
    problems = [
        f"{named(path)}:{line} calls {name}"
        for path in sources(*PURE)
        for line, name in calls(tree(path))
        if name in CLOCKS
    ]
    listed(problems, "time is passed in")


def test_nothing_prints_but_the_command_line():
    problems = [
        f"{named(path)}:{line} prints"
        for path in sources(*OURS)
        if not named(path).startswith(("taishi/cli/", "benchmarks/"))
        if '__name__ == "__main__"' not in path.read_text(encoding="utf-8")  # a process's last words
        for line, name in calls(tree(path))
        if name == "print"
    ]
    listed(problems, "log or return instead")


def test_nothing_sleeps_where_a_condition_is_meant():
    problems = [
        f"{named(path)}:{line} calls {name}"
        for path in sources("pipelines", "tests")
        for line, name in calls(tree(path))
        if name in {"time.sleep", "sleep"}
    ]
    listed(problems, "wait for the condition itself, with a deadline")


def test_nothing_is_left_to_do_in_the_tree():
    texts = [*sources(*OURS, "tests"), *ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("Makefile")]
    problems = [
        f"{named(path)}:{number} {line.strip()}"
        for path in texts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if MARKS.search(line)
    ]
    listed(problems, "open an issue instead")


def test_files_stay_readable_in_one_sitting():
    limits = [(LINES_MAX, OURS), (TEST_LINES_MAX, ("tests",))]
    problems = [
        f"{named(path)}: {count} lines, allowed {limit}"
        for limit, folders in limits
        for path in sources(*folders)
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > limit
    ]
    listed(problems, "split by what changes together")


def test_functions_stay_short():
    problems = [
        f"{named(path)}:{line} {name}: {length} lines"
        for path in sources(*OURS, "tests")
        for line, name, length in bodies(tree(path))
        if length > BODY_LINES_MAX
    ]
    listed(problems, f"a function's body has at most {BODY_LINES_MAX} lines")


def declares(module: ast.Module, name: str) -> bool:
    targets = (
        target
        for node in module.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    )
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def test_every_public_module_says_what_it_is_and_what_it_offers():
    problems = []
    for path in sources(*OURS):
        module = tree(path)
        if ast.get_docstring(module) is None:
            problems.append(f"{named(path)}: no docstring")
        only_docstring = path.name == "__init__.py" and len(module.body) <= 1
        private = path.name.startswith("_") and path.name != "__init__.py"
        if not (only_docstring or private or declares(module, "__all__")):
            problems.append(f"{named(path)}: no __all__")
    listed(problems, "a public module has a docstring and __all__")


SAMPLE = '''
import time, datetime
from apache_beam import io
def rule():
    """Words."""
    from connectors import base
    time.sleep(1)
    return datetime.datetime.now()
'''


def test_the_rules_see_what_they_look_for():
    module = ast.parse(SAMPLE)
    assert {name for _, name in imports(module)} == {"time", "datetime", "apache_beam", "connectors"}
    assert {name for _, name in calls(module)} == {"time.sleep", "datetime.now"}
    assert list(bodies(module)) == [(4, "rule", 3)]
    assert not declares(module, "__all__")
    assert declares(ast.parse("__all__: list[str] = []"), "__all__")
