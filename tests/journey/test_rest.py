"""REST from its caller's side: posts, pages, removals, bans, pins, erasure, replay; and rubbish."""

import json
import time
import unicodedata
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
CORPORA = SHARED / "data" / "corpora"
needs_corpora = pytest.mark.skipif(not SHARED.exists(), reason="the corpora lie in ../shared")


@pytest.fixture(scope="module")
def stream(served, boss):
    assert served.call("PUT", "/v1/streams/s1", {"title": "One", "rules": {"show": "all"}}, boss)[0] == 201
    return "/v1/streams/s1"


def soon(ask, wanted, within_s=2.0):
    """Ask until the answer is as wanted; the last answer."""
    until = time.monotonic() + within_s
    while not wanted(answer := ask()) and time.monotonic() < until:
        time.sleep(0.02)
    return answer


def test_a_posted_comment_is_in_history_within_a_second(served, stream, boss):
    status, comment = served.call("POST", f"{stream}/comments", {"text": " hello "}, boss)
    assert (status, comment["text"], comment["stream"]) == (201, "hello", "s1")
    status, page = soon(
        lambda: served.call("GET", f"{stream}/comments?limit=200"), lambda answer: comment in answer[1]["comments"], 1.0
    )
    assert comment in page["comments"]
    assert served.call("GET", f"{stream}/comments/{comment['id']}") == (200, comment)


def test_pages_walk_back_and_forth_without_skips_or_repeats(served, stream, boss):
    ids = [served.call("POST", f"{stream}/comments", {"text": f"page {n}"}, boss)[1]["id"] for n in range(7)]
    soon(lambda: served.call("GET", f"{stream}/comments/{ids[-1]}"), lambda answer: answer[0] == 200)
    first = served.call("GET", f"{stream}/comments?limit=3")[1]
    second = served.call("GET", f"{stream}/comments?limit=3&before={first['next']}")[1]
    assert [c["id"] for c in first["comments"] + second["comments"]] == ids[:0:-1]
    above = served.call("GET", f"{stream}/comments?limit=3&after={ids[2]}")[1]
    assert [c["id"] for c in above["comments"]] == ids[5:2:-1]


def test_a_key_says_a_thing_once(served, stream, boss):
    def post(text):
        head = {"Authorization": f"Bearer {boss}", "Content-Type": "application/json", "Idempotency-Key": "k1"}
        body = json.dumps({"text": text}).encode()
        try:
            with urlopen(Request(f"{served.url}{stream}/comments", body, head), timeout=10) as answer:
                return answer.status, json.loads(answer.read())
        except HTTPError as fault:
            return fault.code, json.loads(fault.read())

    first, again, other = post("once"), post("once"), post("another")
    assert first == again
    assert (other[0], other[1]["code"]) == (400, 310)


def test_a_removed_comment_is_gone_when_it_is_answered_and_comes_back_when_restored(served, stream, boss):
    comment = served.call("POST", f"{stream}/comments", {"text": "to be removed"}, boss)[1]
    reply = served.call("POST", f"{stream}/comments", {"text": "a reply", "reply_to": comment["id"]}, boss)[1]
    assert reply["reply_to"] == {"id": comment["id"], "user": "boss", "text": "to be removed"}
    at = f"{stream}/comments/{comment['id']}"
    assert served.call("DELETE", at, {"why": "a test"}, boss)[0] == 204
    assert served.call("GET", at)[0] == 404
    assert comment["id"] not in [c["id"] for c in served.call("GET", f"{stream}/comments?limit=200")[1]["comments"]]
    _, shown = soon(lambda: served.call("GET", f"{stream}/comments/{reply['id']}"), lambda answer: answer[0] == 200)
    assert shown["reply_to"] == {"id": comment["id"], "user": "boss"}
    assert served.call("POST", f"{at}/restore", token=boss)[0] == 204
    assert served.call("GET", at)[0] == 200


def test_a_ban_holds_at_once_and_takes_what_was_written(served, stream, boss):
    bob = served.token("Bob")
    comment = served.call("POST", f"{stream}/comments", {"text": "rude"}, bob)[1]
    assert served.call("PUT", f"{stream}/bans/bob", {"seconds": 60, "why": "rude", "remove": True}, boss)[0] == 204
    status, problem = served.call("POST", f"{stream}/comments", {"text": "again"}, bob)
    assert (status, problem["code"], problem["reason"]) == (403, 111, "timed_out")
    assert problem["retry_after_ms"] <= 60_000
    assert served.call("GET", f"{stream}/comments/{comment['id']}")[0] == 404
    assert served.call("DELETE", f"{stream}/bans/bob", token=boss)[0] == 204
    assert served.call("POST", f"{stream}/comments", {"text": "sorry"}, bob)[0] == 201


def test_limits_are_exact_and_tell_when_to_come_back(served, stream):
    ann = served.token("Ann")
    answers = [served.call("POST", f"{stream}/comments", {"text": f"quick {n}"}, ann) for n in range(6)]
    assert [status for status, _ in answers] == [201] * 5 + [429]
    assert answers[-1][1]["reason"] == "too_fast"
    assert 25_000 < answers[-1][1]["retry_after_ms"] <= 30_000


def test_an_erased_user_is_nowhere(served, stream, boss):
    eve = served.token("Eve")
    served.call("POST", f"{stream}/comments", {"text": "canary-of-eve"}, eve)
    time.sleep(0.4)
    status, answer = served.call("DELETE", "/v1/users/eve", token=eve)
    assert status == 202
    assert answer["log_until"] > time.time() * 1000
    assert "canary" not in json.dumps(served.call("GET", f"{stream}/comments?limit=200")[1])
    assert served.call("GET", "/v1/users/eve/comments", token=eve)[1]["comments"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/v1/streams/nowhere", None, 404, 301),
        ("GET", "/v1/streams/nowhere/comments", None, 404, 301),
        ("GET", "/v1/streams/s1/comments?limit=0", None, 400, 310),
        ("GET", "/v1/streams/s1/comments?limit=201", None, 400, 310),
        ("GET", "/v1/streams/s1/comments?before=x", None, 400, 310),
        ("GET", "/v1/streams/a%20b/comments", None, 400, 310),
        ("POST", "/v1/streams/s1/comments", {"text": "x"}, 401, 101),
        ("POST", "/v1/streams/s1/comments", {}, 400, 310),
        ("POST", "/v1/streams/s1/comments", {"text": "x", "more": 1}, 400, 310),
        ("PUT", "/v1/streams/s1", {"title": "mine"}, 401, 101),
        ("GET", "/v1/users/bob/comments", None, 401, 101),
    ],
)
def test_what_is_wrong_is_told_in_the_words_of_the_catalogue(served, stream, method, path, body, status, code):
    answered, problem = served.call(method, path, body)
    assert (answered, problem["code"], problem["status"]) == (status, code, status)


@needs_corpora
def test_json_of_every_kind_is_answered_and_breaks_nothing(served, stream, boss):
    statuses = {}
    for file in sorted((CORPORA / "json-parsing").iterdir()):
        for body in (file.read_bytes(), b'{"text": ' + file.read_bytes() + b"}"):
            request = Request(f"{served.url}{stream}/comments", body, method="POST")
            request.add_header("Authorization", f"Bearer {boss}")
            request.add_header("Content-Type", "application/json")
            try:
                with urlopen(request, timeout=10) as answer:
                    status = answer.status
            except HTTPError as fault:
                status = fault.code
                assert json.loads(fault.read() or b"{}") is not None
            statuses.setdefault(status, []).append(file.name)
    print({status: len(names) for status, names in statuses.items()})
    assert set(statuses) <= {201, 400, 413, 422}


@needs_corpora
def test_naughty_strings_come_back_as_they_were_or_are_refused_with_a_reason(served, stream, boss):
    outcomes = {}
    for text in json.loads((CORPORA / "naughty-strings.json").read_text()):
        status, answer = served.call("POST", f"{stream}/comments", {"text": text}, boss)
        outcomes[status] = outcomes.get(status, 0) + 1
        if status == 201:
            assert answer["text"].split() == unicodedata.normalize("NFC", text).split()
        else:
            assert (status, answer["code"] // 100) == (422, 2)
    print(outcomes)
    assert outcomes[201] > 400


def test_an_edge_that_no_id_can_be_is_refused_as_such(served, stream):
    status, answer = served.call("GET", f"{stream}/comments?before=9999999999999999999")
    assert (status, answer["code"]) == (400, 310)
