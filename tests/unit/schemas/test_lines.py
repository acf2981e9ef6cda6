"""Lines of a TOML file by path."""

from schemas.lines import Lines

TEXT = '''title = "x"
limits.filing = 1

[clocks.filing]
label = """
label = "no key"
"""
"limit" = 2
[[moves]]
verb = "file"
[moves.holders]
receiver = "closer"
[[moves]]
verb = "close"
'''


def test_each_table_and_field_has_its_line():
    lines = Lines.of(TEXT)
    assert lines.line("title") == 1
    assert lines.line("limits", "filing") == 2
    assert (lines.line("clocks", "filing"), lines.line("clocks", "filing", "limit")) == (4, 8)
    assert (lines.line("moves", 0), lines.line("moves", 1)) == (9, 13)
    assert lines.line("moves", 0, "holders", "receiver") == 12
    assert lines.line("moves", 1, "verb") == 14


def test_what_is_not_there_has_the_line_of_where_it_would_be():
    lines = Lines.of(TEXT)
    assert lines.line("moves", 1, "from") == 13
    assert lines.line("clocks", "filing", "label", "deep") == 5
    assert lines.line("nothing") == 1
