"""`taishi cases` on a desk of its own: a case from its report to its evaluation, refusals, words and JSON."""

import csv
import io
import json

import openpyxl
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from operations.cases.config import shipped_config
from operations.oncall.clock import now_ms
from operations.store.casebook import CaseBook
from schemas.alerts import Alert
from schemas.errors import TaishiError
from taishi.cases import desk as module
from taishi.cli.cases import cases

GRID = "370202001001001"
SMOKE = Alert(
    id="a" * 32, rule="signal.smoke", severity="life_safety", domain="security", level="grid", place=GRID,
    onset_ms=now_ms() - 60_000, active=True, title="烟雾报警 smoke", latched=True,
)  # fmt: skip
WANG = ("--by", "王芳", "--as", "receiver")
LI = ("--by", "李强", "--as", "dispatcher")
HEAD = ["大类代码", "大类名称", "小类代码", "小类名称", "立案条件", "处置时限", "结案条件"]


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("TAISHI_HOME", str(tmp_path))
    monkeypatch.setattr(module, "read_alerts", lambda _: [SMOKE])

    def taishi(*words, code=0):
        done = CliRunner().invoke(cases, words)
        if isinstance(done.exception, TaishiError):
            raise done.exception
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if "--json" in words and code == 0 else done.output

    return taishi


@pytest.fixture
def workbook(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "部件"
    rows = [
        ("缺失", "2紧急工作时", "恢复"),
        ("破损", "4工作时\n", "更换；清理"),
        ("弹跳", "1紧急工作时制止", "修复"),
    ]
    for row in (HEAD, *(["01", "公用设施", "14", "井盖", *row] for row in rows)):
        sheet.append(row)
    book.save(tmp_path / "standards.xlsx")
    return str(tmp_path / "standards.xlsx")


def opened(run, *words):
    place = () if "--place" in words or "--at" in words else ("--place", GRID)
    who = ("--by", "网格员甲", "--as", "collector", "--source", "collector")
    return run("open", "--title", "井盖破损", *who, *place, *words, "--json")


def refused(run, *words):
    with pytest.raises(TaishiError) as error:
        run(*words)
    return str(error.value)


def test_a_case_goes_from_its_report_to_its_evaluation(run, workbook):
    run("import-standards", workbook, code=1)
    case = opened(run)
    assert (case["how"], case["state"], case["citizens"]) == ("opened", "reported", 1)
    id_ = case["id"]
    assert "file → 立案 filed" in run("move", id_, "file", "--standard", "部件-0114-2", *WANG)
    run("move", id_, "send_to_dispatch", *WANG)
    run("move", id_, "dispatch", "--to-department", "市政公司", *LI)
    city = ("--by", "科长", "--as", "department", "--department", "市政公司")
    run("move", id_, "assign", "--to", "老李", *city)
    run("move", id_, "submit", "--by", "老李", "--as", "handler", "--evidence", "photo/2.jpg")
    run("move", id_, "hand_back", *city)
    run("move", id_, "send_to_close", "--to", "王芳", *LI)
    assert "missing: 清理" in refused(run, "move", id_, "close", "--criterion", "更换", *WANG)
    closed = run("move", id_, "close", "--criterion", "更换", "--criterion", "清理", *WANG, "--json")
    assert (closed["state"], closed["criteria"]) == ("closed", ["更换", "清理"])
    run("move", id_, "call_back", "--unsatisfied", *WANG)
    assert run("list", "--json") == []
    (line,) = run("list", "--all", "--json")
    assert (line["state"], line["label"], line["department"]) == ("closed", "结案", "市政公司")
    verbs = [entry["verb"] for entry in run("history", id_, "--json")]
    assert verbs[:2] + verbs[-2:] == ["open", "file", "close", "call_back"]
    told = run("history", id_)
    assert "王芳 (receiver)  close  feedback → closed · criteria 更换; 清理" in told
    found = run("evaluate", "--by", "department", "--json")
    handled = next(f for f in found["figures"] if f["measure"] == "handled_in_time")
    assert (handled["of"], handled["rate"], handled["yes"]) == ("市政公司", 1.0, [id_])
    assert found["scores"]["市政公司"] == 100
    assert f"是 yes  {id_}" in run("evaluate", "--measure", "unsatisfied", "--cases")


def test_the_list_and_the_case_are_told_in_words_with_their_meaning(run):
    id_ = opened(run, "--at", "120.3829,36.0662")["id"]
    text = run("list")
    assert "井盖破损" in text
    assert "1 件案件 cases" in text
    shown = run("show", id_[:12], *WANG)
    assert "上报 reported（已上报，待受理 came in" in shown
    assert "15 紧急工作分钟" in shown
    assert "可 may  file  立案 file under a standard (需 needs standard)" in shown
    view = run("show", id_, *LI, "--json")
    assert [move["verb"] for move in view["allowed"]] == ["comment"]
    assert (view["stage_label"], view["overdue"], view["clocks"][0]["overdue"]) == ("上报", False, False)
    assert view["case"]["longitude"] == 120.3829


def test_what_cannot_be_done_now_says_why(run):
    opened(run, "--workflow", "grid-calls")
    view = run("show", "2", "--by", "党员", "--as", "party_member", "--of-place", "370202009001", "--json")
    (claim,) = [move for move in view["allowed"] if move["verb"] == "claim"]
    assert "范围 reach" in claim["hindrance"]
    assert "暂不可 not now: 范围 reach" in run("show", "2", "--by", "党员", "--as", "party_member")


def test_an_alert_becomes_a_case_in_one_action(run):
    done = run("open", "--alert", "aaaa", *WANG, "--json")
    assert (done["how"], done["alerts"], done["workflow"]) == ("opened", [SMOKE.id], "street-calls")
    assert run("open", "--alert", "aaaa", *WANG, "--json")["how"] == "known"
    assert "烟雾报警 smoke: 活动 active" in run("show", done["id"])
    assert "which 0 alerts begin with" in refused(run, "open", "--alert", "bbbb", *WANG)


def test_the_first_member_who_claims_wins(run):
    id_ = opened(run, "--workflow", "grid-calls")["id"]
    member = ("--of-place", "370202001001", "--by")
    assert "claim → 党员处置中 handling" in run("claim", id_, *member, "党员甲", "--key", "phone-1")
    assert "已被领取 already claimed by 党员甲" in refused(run, "claim", id_, *member, "党员乙")
    assert run("claim", id_, *member, "党员甲", "--key", "phone-1", "--json")["person"] == "党员甲"
    assert "in the community of" not in run("history", id_)


def test_a_workbook_is_read_row_by_row_and_may_be_tried_first(run, workbook):
    text = run("import-standards", workbook, "--dry-run", code=1)
    assert "部件 第 4 行 row 4: 处置时限" in text
    assert "2 条标准可读 readable，1 行被拒 rows refused，共 0 条" in text
    unit = ("--unit", "紧急工作时制止=urgent_hour")
    done = run("import-standards", workbook, *unit, "--json")
    assert (done["taken"], done["known"], done["refused"]) == (True, 3, [])
    assert len(run("standards", "--text", "弹跳", "--json")) == 1
    assert "部件-0114-2  4 工作时  公用设施/井盖: 破损 → 更换; 清理" in run("standards")
    assert "--unit: received 'x', allowed: WORD=UNIT" in refused(
        run, "import-standards", workbook, "--unit", "x"
    )
    assert opened(run, "--category", "部件-0114")["category"] == "部件-0114"


def test_what_is_mistyped_is_named_with_what_is_allowed(run):
    assert "which 0 cases begin with" in refused(run, "show", "2026")
    words = refused(run, "open", "--title", "x", "--place", "370202999", *WANG)
    assert "place: received '370202999', allowed: 370202001" in words
    assert "in no grid of the district" in refused(run, "open", "--title", "x", "--at", "100,20", *WANG)
    assert "--at: received 'here', allowed: LONGITUDE,LATITUDE" in refused(
        run, "open", "--title", "x", "--at", "here", *WANG
    )
    assert "Missing option '--title'" in run("open", "--place", GRID, *WANG, code=2)
    assert "类别 category: received 'x', allowed: fire" in refused(
        run, "open", "--title", "x", "--place", GRID, "--category", "x", *WANG
    )
    assert "period: received 'soon'" in refused(run, "evaluate", "--period", "soon")
    assert "is not one of" in run("move", "2", "file", "--by", "x", "--as", "boss", code=2)


def test_what_is_due_is_done_by_itself(run, tmp_path):
    opened(run)
    assert run("tick") == "0 件案件 cases\n"
    book = CaseBook(f"sqlite:///{tmp_path / 'data' / 'operations.db'}", shipped_config())
    book.tick(now_ms() + 13 * 60_000)
    book.close()
    assert [entry["verb"] for entry in run("history", "2", "--json")] == ["open", "warn"]
    assert run("list", "--overdue", "--json") == []


def test_workflows_are_listed_and_ones_own_is_checked(run, tmp_path):
    assert "city-management" in [workflow["name"] for workflow in run("workflows", "--json")]
    assert "hand_back" in run("workflows")
    file = tmp_path / "own.toml"
    file.write_text('name = "own"\n', "utf-8")
    words = refused(run, "workflows", "--check", str(file))
    assert f"{file}:1: moves: received nothing, allowed: one or more [[moves]]" in words


def test_the_evaluation_is_a_table_a_csv_and_a_list_of_measures(run):
    opened(run)
    table = run("evaluate", "--by", "street")
    assert "有效上报率" in table
    assert "未作废 not rejected" in table
    rows = list(csv.DictReader(io.StringIO(run("evaluate", "--by", "street", "--csv"))))
    reports = next(row for row in rows if row["measure"] == "valid_reports")
    assert (reports["yes"], reports["among"], reports["rate"], reports["of"]) == (
        "1",
        "1",
        "1.0000",
        "370202001",
    )
    assert reports["name"]
    names = [measure["measure"] for measure in run("measures", "--json")]
    assert names[:2] == ["handled", "handled_in_time"]
    assert "* should_be_handled" in run("measures")
    assert "--of: received" in refused(run, "evaluate", "--of", "nowhere", "--cases")


def test_a_citys_own_settings_count(run, tmp_path, monkeypatch):
    file = tmp_path / "cases.toml"
    file.write_text('[labels]\nreported = "信息采集"\n[denominators]\nhandled = "dispatched"\n', "utf-8")
    monkeypatch.setenv("TAISHI_CASES_FILE", str(file))
    opened(run)
    assert "信息采集" in run("list")
    assert "* dispatched" in run("measures")
    file.write_text("colour = 1\n", "utf-8")
    assert f"cases_file {file}" in refused(run, "list")


def test_an_alert_that_cleared_is_shown_and_closes_nothing(run, monkeypatch, tmp_path):
    id_ = run("open", "--alert", "aaaa", *WANG, "--json")["id"]
    book = CaseBook(f"sqlite:///{tmp_path / 'data' / 'operations.db'}", shipped_config())
    book.know([replace(SMOKE, active=False, cleared_ms=now_ms(), revision=1)], now_ms())
    book.close()
    assert "烟雾报警 smoke: 已恢复 cleared" in run("show", id_)
    assert run("show", id_, "--json")["case"]["state"] == "to_dispatch"
