"""A running job takes a changed rule file; a wrong one leaves the rules as they were."""

import os
import shutil

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from pipelines.io.rule_file import SHIPPED_RULES, RuleFile, read_rules
from schemas.errors import SettingsError


@pytest.fixture
def path(tmp_path):
    return shutil.copy(SHIPPED_RULES, tmp_path / "rules.toml")


def refused():
    return REGISTRY.get_sample_value("taishi_rules_refused_total")


def written(path, text):
    """Write, with another time of change than before, however coarse the file system's clock is."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(before + 1_000_000_000, before + 1_000_000_000))


def test_a_changed_file_comes_into_force_within_a_second(path):
    rule_file = RuleFile(path, 100.0)
    before = rule_file.current(100.0)
    assert REGISTRY.get_sample_value("taishi_rules_in_force") == len(before.rules)
    written(path, "rules = []")
    assert rule_file.current(100.9) is before
    assert rule_file.current(101.0).rules == ()
    assert REGISTRY.get_sample_value("taishi_rules_in_force") == 0


def test_a_wrong_file_leaves_the_rules_and_is_logged_once(path):
    rule_file = RuleFile(path, 0.0)
    before, count = rule_file.current(0.0), refused()
    with capture_logs() as logs:
        written(path, '[[rules]]\nname = "x"\nseverity = "urgent"')
        for second in range(1, 5):
            assert rule_file.current(float(second)) is before
    assert [log["log_level"] for log in logs] == ["error"]
    assert f"{path}:3: rule 'x', severity: received 'urgent'" in rule_file.problem
    assert refused() == count + 1


def test_the_problem_is_gone_when_the_file_is_right_again(path):
    good = path.read_text(encoding="utf-8")
    rule_file = RuleFile(path, 0.0)
    before = rule_file.current(0.0)
    written(path, "rules = 3")
    assert rule_file.current(1.0) is before
    assert rule_file.problem
    written(path, good)
    assert rule_file.current(2.0) is before  # the same content: nothing is loaded anew
    assert rule_file.problem is None


def test_a_file_that_vanishes_or_cannot_be_read_is_a_problem_too(path):
    rule_file = RuleFile(path, 0.0)
    before = rule_file.current(0.0)
    path.unlink()
    assert rule_file.current(1.0) is before
    assert "rules_file" in rule_file.problem
    path.write_bytes(b"\xff\xfe")
    assert rule_file.current(2.0) is before
    assert "rules_file" in rule_file.problem
    written(path, "rules = []")
    assert rule_file.current(3.0).rules == ()


def test_at_the_start_a_wrong_file_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="rules_file"):
        RuleFile(tmp_path / "none.toml", 0.0)
    with pytest.raises(SettingsError, match="rules_file"):
        read_rules(tmp_path / "none.toml")
