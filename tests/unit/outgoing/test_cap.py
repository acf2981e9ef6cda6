"""Alerts as CAP 1.2: the schema's order and words, no person, and messages that know each other."""

import re
from datetime import datetime, timedelta

import pytest
from defusedxml import ElementTree
from msgspec.structs import replace

from operations.outgoing.cap import TOLD_MS, current, feed, message, message_type
from operations.outgoing.geography import Geography
from schemas.alerts import Alert
from schemas.places.registry import PlaceRegistry, known_places
from schemas.places.synthetic import synthetic_layer

GEOGRAPHY = Geography(PlaceRegistry(known_places("370202"), synthetic_layer("370202")))
CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"
ONSET_MS = 1_763_872_200_123
ORDER = {
    "alert": "identifier sender sent status msgType source scope restriction addresses code note references "
    "incidents info",
    "info": "language category event responseType urgency severity certainty audience eventCode effective "
    "onset expires senderName headline description instruction web contact parameter resource area",
    "area": "areaDesc polygon circle geocode altitude ceiling",
    "eventCode": "valueName value",
    "parameter": "valueName value",
    "geocode": "valueName value",
}
REQUIRED = {
    "alert": {"identifier", "sender", "sent", "status", "msgType", "scope"},
    "info": {"category", "event", "urgency", "severity", "certainty"},
    "area": {"areaDesc"},
}
ONCE = {"alert": {"info", "code"}, "info": {"eventCode", "parameter", "area"}, "area": {"polygon", "geocode"}}
WORDS = {
    "status": {"Actual", "Exercise", "System", "Test", "Draft"},
    "msgType": {"Alert", "Update", "Cancel", "Ack", "Error"},
    "scope": {"Public", "Restricted", "Private"},
    "category": {"Safety", "Security", "Fire", "Health", "Transport", "Infra", "Other"},
    "urgency": {"Immediate", "Expected", "Future", "Past", "Unknown"},
    "severity": {"Extreme", "Severe", "Moderate", "Minor", "Unknown"},
    "certainty": {"Observed", "Likely", "Possible", "Unlikely", "Unknown"},
}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d")


def alert(**given):
    whole = {
        "id": "0" * 31 + "a",
        "rule": "signal.sos",
        "severity": "life_safety",
        "domain": "care",
        "level": "grid",
        "place": "370202001001001",
        "onset_ms": ONSET_MS,
        "told_ms": ONSET_MS,
        "active": True,
        "latched": True,
        "title": "紧急呼救 SOS",
        "revision": 7,
        "device": "bed-17",
        "subject": "p1-secret",
        "explanation": "设备 bed-17 上报紧急呼救。 bed-17 reports SOS.",
    }
    return Alert(**(whole | given))


def check(element):
    """The structure that the CAP 1.2 schema asks for."""
    name = element.tag.removeprefix(CAP)
    children = [child.tag.removeprefix(CAP) for child in element]
    if name in ORDER:
        order = ORDER[name].split()
        assert children == sorted(children, key=order.index)
        assert REQUIRED.get(name, set()) <= set(children)
        many = {child for child in children if children.count(child) > 1}
        assert many <= ONCE.get(name, set())
    if name in WORDS:
        assert element.text in WORDS[name]
    if name in {"sent", "onset", "expires", "effective"}:
        assert MOMENT.fullmatch(element.text)
    if name in {"identifier", "sender"}:
        assert not re.search(r"[\s,<&]", element.text)
    if name == "polygon":
        points = element.text.split(" ")
        assert len(points) >= 4
        assert points[0] == points[-1]
    for child in element:
        check(child)


def told(one):
    text = message(one, GEOGRAPHY)
    top = ElementTree.fromstring(text)
    assert top.tag == f"{CAP}alert"
    check(top)
    return text.decode(), {child.tag.removeprefix(CAP): child.text for child in top}, top


@pytest.mark.parametrize("severity", ["low", "medium", "high", "life_safety"])
@pytest.mark.parametrize("rule", ["signal.smoke", "signal.tamper", "detector.occupancy"])
@pytest.mark.parametrize("simulated", [True, False])
@pytest.mark.parametrize("place", ["370202", "370202001", "370202001001001", "000000"])
def test_every_message_has_the_structure_of_the_schema(severity, rule, simulated, place):
    one = alert(severity=severity, rule=rule, simulated=simulated, place=place, parent="b", domain="security")
    _, said, _ = told(one)
    assert said["status"] == ("Test" if simulated else "Actual")


def test_chinese_first_then_english():
    _, _, top = told(alert())
    infos = top.findall(f"{CAP}info")
    assert [info.findtext(f"{CAP}language") for info in infos] == ["zh-CN", "en-US"]
    assert [info.findtext(f"{CAP}event") for info in infos] == ["紧急呼救", "SOS"]
    assert [info.findtext(f"{CAP}category") for info in infos] == ["Health", "Health"]


def test_of_a_person_nothing_is_told_but_the_place():
    for one in (alert(), alert(active=False, cleared_ms=ONSET_MS + 9, count=3)):
        text, _, _ = told(one)
        assert "bed-17" not in text
        assert "p1-secret" not in text
        assert "370202001001<" in text
        assert "370202001001001" not in text


@pytest.mark.parametrize(
    ("rule", "domain", "expected"),
    [
        ("storm.signal.smoke", "security", "Fire"),
        ("silence.parking.space", "parking", "Infra"),
        ("silence.feed", "", "Infra"),
        ("silence.person", "care", "Health"),
        ("rule.turnover", "parking", "Transport"),
        ("rule.reports", "governance", "Other"),
    ],
)
def test_category(rule, domain, expected):
    assert told(alert(rule=rule, domain=domain))[2].findtext(f"{CAP}info/{CAP}category") == expected


def test_words_of_several_sentences_part_by_language():
    given = {
        "title": "社区集中告警 烟雾报警 smoke ×12",
        "explanation": "入侵 3 次。 3 intrusions. 已恢复。 Back to normal.",
    }
    infos = told(alert(domain="security", rule="signal.intrusion", **given))[2].findall(f"{CAP}info")
    assert infos[0].findtext(f"{CAP}headline") == "社区集中告警 烟雾报警"
    assert infos[1].findtext(f"{CAP}headline") == "smoke ×12"
    assert infos[0].findtext(f"{CAP}description").endswith("入侵 3 次。 已恢复")
    assert infos[1].findtext(f"{CAP}description").endswith("3 intrusions. Back to normal")


def test_a_device_of_the_street_is_named():
    text, _, _ = told(
        alert(domain="security", rule="signal.smoke", explanation="设备 s1 上报烟雾。 s1 reports smoke.")
    )
    assert "s1 reports smoke" in text


def test_latitude_comes_first_and_made_up_outlines_are_of_made_up_alerts():
    _, _, top = told(alert(simulated=True))
    latitude, longitude = top.find(f".//{CAP}polygon").text.split(" ")[0].split(",")
    assert 35 < float(latitude) < 37
    assert 119 < float(longitude) < 121
    assert told(alert())[2].find(f".//{CAP}polygon") is None


def test_the_messages_of_one_alert_refer_to_the_first():
    first = alert(latched=False)
    again = replace(first, count=2, told_ms=ONSET_MS + 5_000, revision=8)
    over = replace(again, active=False, cleared_ms=ONSET_MS + 9_000, revision=9)
    assert [message_type(one) for one in (first, again, over)] == ["Alert", "Update", "Cancel"]
    begun, updated, ended = (told(one)[1] for one in (first, again, over))
    assert "references" not in begun
    reference = f"{begun['sender']},{begun['identifier']},{begun['sent']}"
    assert updated["references"] == ended["references"] == reference
    assert len({begun["identifier"], updated["identifier"], ended["identifier"]}) == 3
    sent = [datetime.fromisoformat(said["sent"]) for said in (begun, updated, ended)]
    assert sent[1] - sent[0] == timedelta(seconds=5)


def test_what_waits_for_a_person_is_not_cancelled():
    assert message_type(alert(active=False, cleared_ms=ONSET_MS + 1)) == "Update"


def test_what_was_over_when_first_told_is_past():
    _, said, top = told(alert(active=False, latched=False, cleared_ms=ONSET_MS))
    assert (said["msgType"], top.find(f".//{CAP}urgency").text) == ("Alert", "Past")


def test_the_feed_has_what_is_active_and_what_just_ended():
    old = alert(id="old", onset_ms=ONSET_MS - 2 * TOLD_MS, told_ms=ONSET_MS - 2 * TOLD_MS)
    ended = replace(old, id="ended", active=False, cleared_ms=ONSET_MS - TOLD_MS - 1)
    recent = replace(old, id="recent", active=False, cleared_ms=ONSET_MS - 1)
    chosen = current([old, ended, recent], ONSET_MS)
    assert [one.id for one in chosen] == ["recent", "old"]
    top = ElementTree.fromstring(feed(chosen, "http://h/cap/alerts", ONSET_MS))
    atom = "{http://www.w3.org/2005/Atom}"
    assert [link.get("href") for link in top.findall(f"{atom}entry/{atom}link")] == [
        "http://h/cap/alerts/recent",
        "http://h/cap/alerts/old",
    ]
    assert top.findtext(f"{atom}updated")


def test_characters_that_xml_cannot_hold_break_nothing():
    assert "\ufffd" in told(alert(title="烟\x00雾 sm\x1boke", domain="security"))[0]
