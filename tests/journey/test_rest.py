"""REST from its caller's side: posts, pages, removals, bans, pins, erasure, replay; and what is wrong."""

import http.client
import json
import time
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest


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


def raw(served, method, path, body=None, token=""):
    """Status, headers and body as they came."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    connection.request(method, path, body, {"Authorization": f"Bearer {token}"} if token else {})
    answer = connection.getresponse()
    read = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return read[0], {name.title(): value for name, value in read[1].items()}, read[2]


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
        ("GET", "/v1/streams/s1/comments?limt=5", None, 400, 310),
        ("GET", "/v1/streams/s1/comments?limit=5&limit=6", None, 400, 310),
        ("GET", "/v1/streams/s1/comments?limit=", None, 400, 310),
        ("GET", "/v1/streams/s1%0A", None, 400, 310),
        ("GET", "/v1/streams/s%00", None, 400, 310),
        ("GET", "/v1/streams/s1/", None, 404, 310),
        ("GET", "/v1/streams//s1", None, 404, 310),
        ("GET", "/v1/streams/s1%2Fcomments", None, 404, 310),
        ("GET", "/v1/streams/s1/replay/01", None, 404, 310),
        ("GET", "/v1/streams/s1/replay/%2B1", None, 404, 310),
        ("GET", "/v1/streams/s1/replay/1_0", None, 404, 310),
        ("GET", "/v1/nothing", None, 404, 310),
        ("POST", "/v1/streams/s1/comments", None, 400, 310),
        ("POST", "/v1/streams/s1/reactions", {"counts": {"❤": "1"}}, 400, 310),
        ("POST", "/v1/streams/s1/likes", {"comment": "1", "on": 1}, 400, 310),
        ("POST", "/v1/streams/s1/likes", {"comment": "1", "on": "true"}, 400, 310),
        ("PATCH", "/v1/streams/s1", {}, 405, 310),
        ("DELETE", "/livez", None, 405, 310),
    ],
)
def test_what_is_wrong_is_told_in_the_words_of_the_catalogue(served, stream, method, path, body, status, code):
    answered, problem = served.call(method, path, body)
    assert (answered, problem["code"], problem["status"]) == (status, code, status)


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/streams/s1", {"GET", "HEAD", "OPTIONS", "PUT"}),
        ("/v1/streams/s1/comments", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("/v1/streams/s1/comments/1", {"DELETE", "GET", "HEAD", "OPTIONS"}),
        ("/v1/streams/s1/bans/bob", {"DELETE", "OPTIONS", "PUT"}),
        ("/v1/guests", {"OPTIONS", "POST"}),
        ("/", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_what_a_path_takes_is_told_to_whoever_asks_and_to_whoever_is_wrong(served, path, methods):
    for method, status in (("OPTIONS", 204), ("PATCH", 405)):
        answered, headers, _ = raw(served, method, path)
        assert (answered, set(headers["Allow"].split(", "))) == (status, methods)


@pytest.mark.parametrize("path", ["/livez", "/", "/v1/streams/s1", "/v1/streams/nowhere", "/v1/streams/s1/live"])
def test_head_is_get_without_a_body(served, stream, path):
    status, headers, body = raw(served, "HEAD", path)
    assert (status, body) == (404 if "nowhere" in path else 200, b"")
    if not path.endswith("live"):
        asked, told, read = raw(served, "GET", path)
        assert (asked, told["Content-Type"], told["Content-Length"]) == (
            status,
            headers["Content-Type"],
            headers["Content-Length"],
        )
        assert len(read) == int(headers["Content-Length"])


@pytest.mark.parametrize("ends", [(0, 10_000), (253_402_300_799_999,) * 2])
def test_a_replay_beyond_all_ids_is_empty(served, boss, ends):
    at = "/v1/streams/faraway"
    assert served.call("PUT", at, {"started_at": 253_402_300_799_999}, boss)[0] in (200, 201)
    status, answer = served.call("GET", f"{at}/replay?from_ms={ends[0]}&to_ms={ends[1]}")
    assert (status, answer["comments"], answer["reactions"]) == (200, [], {})
    assert served.call("GET", f"{at}/replay/100000000")[0] == 200


def test_what_is_optional_may_be_absent_or_null(served, stream, boss):
    comment = served.call("POST", f"{stream}/comments", {"text": "optional bodies"}, boss)[1]
    soon(lambda: served.call("GET", f"{stream}/comments/{comment['id']}"), lambda answer: answer[0] == 200)
    at = f"{stream}/comments/{comment['id']}"
    for body in (b"", b"null", b"{}"):
        assert raw(served, "POST", f"{at}/report", body, boss)[0] == 204
    assert raw(served, "POST", f"{at}/report", b"[]", boss)[0] == 400


def test_an_edge_that_no_id_can_be_is_refused_as_such(served, stream):
    status, answer = served.call("GET", f"{stream}/comments?before=9999999999999999999")
    assert (status, answer["code"]) == (400, 310)
