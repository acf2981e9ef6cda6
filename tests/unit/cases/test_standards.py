"""A city's workbook as cities make them: merged cells, dirty limits, undefined units, one row at a time."""

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.cases.limits import Limit, parse_limit, parse_words
from operations.cases.standards import read_standards
from operations.cases.workbook import read_workbook
from schemas.errors import SettingsError

HEAD = ["大类代码", "大类名称", "小类代码", "小类名称", "责任主体", "立案条件", "处置时限", "结案条件"]


@pytest.fixture
def workbook(tmp_path):
    def make(*rows, head=HEAD, title="部件", merge=()):
        book = openpyxl.Workbook()
        sheet = book.active
        sheet.title = title
        sheet.append(["某市城市管理立案、处置和结案标准"])
        sheet.append(head)
        for row in rows:
            sheet.append(row)
        for span in merge:
            sheet.merge_cells(span)
        path = tmp_path / "standards.xlsx"
        book.save(path)
        return read_workbook(path)

    return make


def row(*cells):
    return list(cells)


def test_rows_become_standards_and_classes_go_on_downwards(workbook):
    found = read_standards(
        workbook(
            row(
                "01",
                "公用设施",
                "14",
                "园林井盖",
                "园林中心",
                "缺失、移位，存在安全隐患的",
                "2紧急工作时",
                "恢复",
            ),
            row(None, None, None, None, None, "破损超过25c㎡", "4工作时\n", "更换或修复"),
            row(None, None, "15", "路灯", "路灯处", "单盏不亮", " ２ 工作日 ", "亮灯\n；现场清理"),
            row(None, None, None, None, None, None, None, None),
        )
    )
    assert found.refused == ()
    assert [(s.code, s.name, str(s.limit)) for s in found.standards] == [
        ("部件-0114-1", "公用设施/园林井盖", "2 紧急工作时"),
        ("部件-0114-2", "公用设施/园林井盖", "4 工作时"),
        ("部件-0115-1", "公用设施/路灯", "2 工作日"),
    ]
    assert found.standards[1].filing == "破损超过25c㎡"
    assert found.standards[2].closing == ("亮灯", "现场清理")
    assert found.standards[0].category == "部件-0114"


def test_merged_cells_hold_for_all_their_rows_and_empty_ones_hold_nothing(workbook):
    sheets = workbook(
        row("01", "公用设施", "14", "园林井盖", "", "缺失", "2紧急工作时", "恢复"),
        row("", "", "", "", "", "破损", "", ""),
        row("", "", "", "", "", "弹跳", "", "修复"),
        merge=("A3:A5", "B3:B5", "G3:G4", "H3:H4"),
    )
    found = read_standards(sheets)
    assert [str(s.limit) for s in found.standards] == ["2 紧急工作时"] * 2
    assert [str(r) for r in found.refused] == [
        "部件 第 5 行 row 5: 处置时限: received nothing, allowed: a text"
    ]


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (
            "1紧急工作时制止",
            "'制止' is behind 紧急工作时; say what that means, for example 紧急工作时制止=urgent_hour",
        ),
        (
            "2紧急工作日",
            "what 紧急工作日 means differs between cities; say it, for example 紧急工作日=working_hour",
        ),
        ("3天", "what 天 means differs between cities"),
        ("2小时", "what 小时 means differs between cities"),
        ("尽快", "received '尽快', allowed: a number and a unit, such as 4 工作时"),
        ("4工作时7工作日", "allowed: a number and a unit"),
        ("4", "allowed: a number and a unit"),
        (4, "allowed: a number and a unit"),
        ("0工作时", "allowed: more than 0"),
        ("2个时辰", "unit of the limit: received '个时辰', allowed: 紧急工作分钟, 紧急工作时"),
        (None, "处置时限: received nothing"),
    ],
)
def test_a_limit_that_cannot_be_read_refuses_its_row_and_no_other(workbook, limit, words):
    good = row("01", "公用设施", "14", "园林井盖", "", "缺失", "2紧急工作时", "恢复")
    bad = row("01", "公用设施", "14", "园林井盖", "", "破损", limit, "修复")
    found = read_standards(workbook(good, bad, good))
    assert [s.code for s in found.standards] == ["部件-0114-1", "部件-0114-3"]
    (refused,) = found.refused
    assert (refused.sheet, refused.row) == ("部件", 4)
    assert words in refused.reason


def test_what_a_citys_words_mean_may_be_said(workbook):
    units = parse_words({"天": "natural_day", "紧急工作日": "natural_day", "紧急工作时制止": "urgent_hour"})
    rows = [
        row("01", "公用设施", "14", "井盖", "", "缺失", limit, "恢复")
        for limit in ("2紧急工作日", "3天", "1紧急工作时制止")
    ]
    found = read_standards(workbook(*rows), units)
    assert [s.limit for s in found.standards] == [
        Limit(2, "natural_day"), Limit(3, "natural_day"), Limit(1, "urgent_hour"),
    ]  # fmt: skip


def test_a_class_that_is_none_or_missing_refuses_the_row(workbook):
    found = read_standards(
        workbook(
            row(None, None, None, None, None, "缺失", "2工作时", "恢复"),
            row("01", "公用设施", "14", "井盖", None, "缺失", "2工作时", "恢复"),
            row("02", "道路", None, None, None, "坑洞", "2工作时", "恢复"),
            row("注：本标准自发布之日起施行", None, None, None, None, None, None, None),
        )
    )
    assert [s.code for s in found.standards] == ["部件-0114-1"]
    assert [(r.row, r.reason.split(":")[0]) for r in found.refused] == [
        (3, "大类代码"), (5, "小类代码"), (6, "大类代码"),
    ]  # fmt: skip


def test_columns_are_found_by_name_in_any_order_and_two_more_may_be_there(workbook):
    head = [
        "序号",
        "结案标准",
        "立案\n条件",
        "处置 时限",
        "小类",
        "小类编码",
        "大类",
        "大类编码",
        "整体时限",
        "处置后核查",
    ]
    found = read_standards(
        workbook(
            row(1, "恢复", "缺失", "2工作时", "井盖", "14", "公用设施", "01", "5工作日", "是"),
            row(2, "恢复", "缺失", "2工作时", "井盖", "14", "公用设施", "01", "", "也许"),
            head=head,
        )
    )
    (standard,) = found.standards
    assert (standard.total, standard.post_check) == (Limit(5, "working_day"), True)
    assert found.refused[0].reason == "是否核查: received '也许', allowed: 是, 否"


def test_a_workbook_without_the_columns_is_refused_with_what_is_missing(workbook, tmp_path):
    with pytest.raises(SettingsError, match=r"received no sheet with the columns .*部件: missing 处置时限"):
        read_standards(workbook(row(), head=[name for name in HEAD if name != "处置时限"]))
    (tmp_path / "text.xlsx").write_text("no workbook", "utf-8")
    with pytest.raises(SettingsError, match=r"no \.xlsx workbook"):
        read_workbook(tmp_path / "text.xlsx")
    with pytest.raises(SettingsError, match=r"no \.xlsx workbook"):
        read_workbook(tmp_path / "none.xlsx")


def test_each_sheet_has_classes_of_its_own(tmp_path):
    book = openpyxl.Workbook()
    for at, title in enumerate(("部件", "事件", "说明")):
        sheet = book.create_sheet(title, at)
        if title == "说明":
            sheet.append(["本表说明"])
            continue
        sheet.append(HEAD)
        sheet.append(row("01", title, "01", "x", "", "y", "2工作时", "z"))
    book.save(tmp_path / "two.xlsx")
    found = read_standards(read_workbook(tmp_path / "two.xlsx"))
    assert [s.code for s in found.standards] == ["部件-0101-1", "事件-0101-1"]


@given(st.text(max_size=12))
def test_any_text_is_a_limit_or_refused_with_words(text):
    try:
        limit = parse_limit(text)
    except SettingsError:
        return
    assert limit.amount > 0
    assert parse_limit(str(limit)) == limit
