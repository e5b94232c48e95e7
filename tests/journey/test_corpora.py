"""The published corpora over real HTTP: JSON of every kind, naughty strings, forged tokens.

Whatever is sent, the answer is one that the OpenAPI page tells, and a refusal is a problem of the catalogue.
"""

import http.client
import json
import time
import unicodedata
from pathlib import Path
from urllib.parse import quote

import pytest

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
CORPORA = SHARED / "data" / "corpora"
pytestmark = pytest.mark.skipif(not SHARED.exists(), reason="the corpora lie in ../shared")

COMMENTS = "/v1/streams/{stream}/comments"


class Asker:
    """One connection; every answer is held against the page."""

    def __init__(self, served, token):
        self._connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
        self._token = token
        self._paths = json.loads(self._read("GET", "/openapi.json", None, {})[2])["paths"]

    def __call__(self, method, path, body=None, headers=(), query="", **ids):
        """Status and what was answered; `ids` stand in the path."""
        url = path.format(**{name: quote(value, safe="") for name, value in ids.items()}) + query
        sent = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json", **dict(headers)}
        status, media, content = self._read(method, url, body, sent)
        told = self._paths[path][method.lower()]["responses"]
        assert str(status) in told, (status, method, url, body)
        assert media in told[str(status)].get("content", {"": None}), (status, media, method, url, body)
        answer = json.loads(content) if content else None
        assert status < 400 or (answer["status"] == status and answer["code"] and answer["message"])
        return status, answer

    def _read(self, method, url, body, headers):
        self._connection.request(method, url, body, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.headers.get_content_type() if answer.headers["Content-Type"] else "", answer.read()


@pytest.fixture(scope="module")
def ask(served, boss):
    asker = Asker(served, boss)
    assert asker("PUT", "/v1/streams/{stream}", b'{"rules": {"duplicates": "off"}}', stream="s1")[0] == 201
    return asker


def naughty():
    return json.loads((CORPORA / "naughty-strings.json").read_text(encoding="utf-8"))


def soon(done, within_s=5.0):
    until = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < until
        time.sleep(0.02)


BODIES = {
    "a comment": ("POST", COMMENTS, b"%s"),
    "a comment's text": ("POST", COMMENTS, b'{"text": %s}'),
    "what it answers": ("POST", COMMENTS, b'{"text": "x", "reply_to": %s}'),
    "a stream": ("PUT", "/v1/streams/{stream}", b"%s"),
    "a stream's title": ("PUT", "/v1/streams/{stream}", b'{"title": %s}'),
    "a stream's start": ("PUT", "/v1/streams/{stream}", b'{"started_at": %s}'),
    "a stream's words": ("PUT", "/v1/streams/{stream}", b'{"rules": {"words": %s}}'),
    "a ban": ("PUT", "/v1/streams/{stream}/bans/{user}", b"%s"),
    "a guest": ("POST", "/v1/guests", b"%s"),
    "reactions": ("POST", "/v1/streams/{stream}/reactions", b'{"counts": %s}'),
    "a like": ("POST", "/v1/streams/{stream}/likes", b'{"comment": "1", "on": %s}'),
}


@pytest.mark.parametrize("what", BODIES)
def test_json_of_every_kind_is_answered_and_what_is_none_is_refused(ask, what):
    method, path, form = BODIES[what]
    stream = "s1" if path == COMMENTS else "scratch"
    wrong, statuses = [], {}
    for file in sorted((CORPORA / "json-parsing").iterdir()):
        body = form.replace(b"%s", file.read_bytes())
        status, _ = ask(method, path, body, stream=stream, user="ann")
        statuses[status] = statuses.get(status, 0) + 1
        if body and file.name.startswith("n_") and status not in (400, 413):
            wrong.append((file.name, status))
    print(statuses)
    assert sum(statuses.values()) > 300
    assert wrong == []


def test_naughty_strings_come_back_as_they_were_or_are_refused_with_a_reason(ask):
    kept, refused = {}, 0
    for text in naughty():
        status, answer = ask("POST", COMMENTS, json.dumps({"text": text}).encode(), stream="naughty")
        if status == 201:
            assert answer["text"] == unicodedata.normalize("NFC", text).strip()
            kept[answer["id"]] = answer["text"]
        else:
            assert (status, answer["code"] // 100) == (422, 2)
            refused += 1
    assert (len(kept) > 400, refused < 100) == (True, True)
    found = {}

    def all_there():
        found.clear()
        before = ""
        while before is not None:
            page = ask("GET", COMMENTS, query=f"?limit=200{before and f'&before={before}'}", stream="naughty")[1]
            found.update((comment["id"], comment["text"]) for comment in page["comments"])
            before = page["next"]
        return len(found) >= len(kept)

    soon(all_there)
    assert found == kept


def test_naughty_titles_reasons_and_names_are_kept_or_refused(ask):
    for text in naughty():
        status, answer = ask("PUT", "/v1/streams/{stream}", json.dumps({"title": text}).encode(), stream="titles")
        if status in (200, 201):
            assert answer["title"] == unicodedata.normalize("NFC", text).strip()
        why = json.dumps({"why": text, "seconds": 1}).encode()
        assert ask("PUT", "/v1/streams/{stream}/bans/{user}", why, stream="titles", user="ann")[0] in (204, 400)
        status, answer = ask("POST", "/v1/guests", json.dumps({"name": text}).encode())
        assert status in (200, 400, 422, 429)
        kinds = json.dumps({"counts": {text: 1}}).encode()
        assert ask("POST", "/v1/streams/{stream}/reactions", kinds, stream="titles")[0] in (204, 400)


def test_naughty_ids_parameters_and_keys_are_refused_or_known(ask):
    for text in naughty():
        if not text or "/" in text:  # another path
            continue
        for path in ("/v1/streams/{stream}", COMMENTS, "/v1/streams/{stream}/comments/{comment}/replies"):
            assert ask("GET", path, stream=text, comment=text)[0] in (200, 400, 404)
        assert ask("PUT", "/v1/streams/{stream}/bans/{user}", b"{}", stream="titles", user=text)[0] in (204, 400)
        assert ask("GET", "/v1/users/{user}/comments", user=text)[0] in (200, 400)
        for name in ("before", "after", "limit"):
            query = f"?{name}={quote(text, safe='')}"
            assert ask("GET", COMMENTS, query=query, stream="naughty")[0] in (200, 400)
        key = {"Idempotency-Key": text.encode("utf-8")}
        if not set("\r\n\0") & set(text):
            assert ask("POST", COMMENTS, b'{"text": "a key"}', headers=key, stream="keys")[0] in (201, 400)


def test_no_forged_token_is_let_in(ask):
    cases = [
        case
        for group in json.loads((CORPORA / "wycheproof-json_web_signature_test.json").read_text())["testGroups"]
        for case in group["tests"]
        if isinstance(case["jws"], str)
    ]
    assert len(cases) > 300
    for case in cases:
        token = {"Authorization": b"Bearer " + case["jws"].encode("utf-8")}
        assert ask("GET", "/v1/users/{user}/comments", headers=token, user="boss")[0] == 401, case["tcId"]
