"""The files of the desk's client: all served, nothing from elsewhere, every word there in both languages."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx
from fastapi import FastAPI

from operations.desk import client
from operations.desk.client import DOCUMENTS, client_router, files

WEB = Path(client.__file__).with_name("web")
SOURCES = {path: path.read_text("utf-8") for path in WEB.rglob("*.js")}
PAIR = re.compile(r'^\s*"([^"]+)": \["(.+)", "(.+)"\],$', re.MULTILINE)
CHINESE = re.compile("[\u4e00-\u9fff]")


def answer(path: str, **headers: str) -> httpx.Response:
    app = FastAPI()
    app.include_router(client_router())

    async def asked() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(asked())


def words() -> dict[str, tuple[str, str]]:
    found = [
        pair for path, text in SOURCES.items() if path.parent.name == "words" for pair in PAIR.findall(text)
    ]
    assert len({key for key, *_ in found}) == len(found), "a key is there twice"
    return {key: (chinese, english) for key, chinese, english in found}


def test_every_word_is_there_in_chinese_and_in_english():
    for key, (chinese, english) in words().items():
        if key != "language":  # names the other one
            assert CHINESE.search(chinese), key
            assert not CHINESE.search(english), key
        assert re.findall(r"\{\w+\}", chinese).sort() == re.findall(r"\{\w+\}", english).sort(), key


def test_every_word_that_is_asked_for_is_there_and_none_is_left_over():
    known, text = set(words()), "".join(text for path, text in SOURCES.items() if path.parent.name != "words")
    asked = set(re.findall(r"""\bt\(["'`]([\w.]+)["'`][,)]""", text))
    assert asked - known == set()
    named = set(re.findall(r"""["'`]([a-z_]+(?:\.[a-z_]+)*)["'`]""", text))
    begun = tuple(re.findall(r"""["'`]([a-z_]+\.)(?:["'`] \+|\$\{)""", text))
    assert {key for key in known - asked - named if not key.startswith(begun)} == set()


def test_what_a_module_imports_is_a_file_of_the_client():
    for path, text in SOURCES.items():
        for name in re.findall(r"""(?:from |import\()["']([^"']+)["']""", text):
            found = f"/assets/{(path.parent / name).resolve().relative_to(WEB)}" if name[0] == "." else name
            assert found in files(), f"{path.name} imports {name}"


def test_the_document_is_the_same_for_all_layouts_and_loads_nothing_from_elsewhere():
    answers = [answer(path) for path in DOCUMENTS]
    assert len({each.text for each in answers}) == 1
    assert "script-src 'self' 'unsafe-eval'" in answers[0].headers["content-security-policy"]
    assert re.findall(r'(?:src|href)="(?!/)', answers[0].text) == []


def test_a_file_is_sent_once_and_packed_and_a_wrong_name_is_told():
    first = answer("/assets/main.js")
    assert first.headers["content-encoding"] == "gzip"
    assert first.text == SOURCES[WEB / "main.js"]
    again = answer("/assets/main.js", **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert answer("/assets/%2e%2e/client.py").status_code == 404


def test_the_phone_keeps_every_file_and_its_document():
    shell = files()["/shell.js"].body.decode()
    for path in ("/m", "/manifest.webmanifest", "/assets/vue.js", "/assets/pages/alerts.js"):
        assert f'"{path}"' in shell
