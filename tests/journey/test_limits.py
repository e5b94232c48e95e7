"""What one connection may do, and for how long: its pace, its origin, its token, and what a ban leaves it."""

import itertools
import json
import time
from collections import Counter
from typing import Any

import pytest

from tests.journey.eyes import Eye
from tests.journey.sockets import connect, masked
from tests.journey.sockets import until as read_until
from tests.journey.tuned import Tuned, number, token_of, until

TEXT = 1
LISTED = ("https://site.example", "http://other.example:8081")
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module", params=["1", "2"], ids="gateways{}".format)
def served(request, tmp_path_factory):
    with Tuned(tmp_path_factory.mktemp("data"), gateways=request.param, origins=",".join(LISTED)) as house:
        yield house


@pytest.fixture(scope="module")
def boss(served):
    return token_of(served, "boss", "admin")


@pytest.fixture
def stream(served, boss):
    name = f"s{next(NUMBERS)}"
    assert served.call("PUT", f"/v1/streams/{name}", {}, boss)[0] == 201
    return name


def at_once(eye: Eye, *ops: dict[str, Any]) -> None:
    """All of them in one write, so that no pause can fall between."""
    eye.socket.socket.sendall(b"".join(masked(TEXT, json.dumps(op).encode()) for op in ops))


def react(**counts: int) -> dict[str, Any]:
    return {"op": "react", "counts": counts}


def posts(count: int) -> list[dict[str, Any]]:
    return [{"op": "post", "ref": f"r{at}", "text": f"text {at}"} for at in range(count)]


def codes(eye: Eye, count: int) -> list[int]:
    """The codes of the next refusals."""
    return [eye.next("refused")["code"] for _ in range(count)]


def history(served, stream: str) -> list[str]:
    """The texts of the newest comments, newest first."""
    return [comment["text"] for comment in served.call("GET", f"/v1/streams/{stream}/comments")[1]["comments"]]


# -- pace


def test_more_than_ten_reactions_a_second_are_dropped_and_counted_and_never_refused(served, stream):
    with Eye(served, stream) as eye:
        dropped = number(served, "uproar_dropped_reactions_total")
        at_once(eye, *[react(**{"🔥": 2})] * 30, *posts(1))
        assert eye.next("refused")["ref"] == "r0"
        assert number(served, "uproar_dropped_reactions_total") == dropped + 20
        assert eye.batch("reactions")["reactions"] == {"🔥": 20}
        assert [message["type"] for message in eye.seen].count("refused") == 1


def test_reactions_are_not_counted_among_the_twenty_messages_a_second(served, stream):
    with Eye(served, stream) as eye:
        at_once(eye, *[react(**{"🔥": 1})] * 10, *posts(21))
        assert sorted(codes(eye, 21)) == [101] * 20 + [502]


def test_an_importer_is_exempt_from_the_twenty_messages_a_second(served, stream):
    with Eye(served, stream) as eye:
        eye.auth(token_of(served, "bridge", "importer"))
        at_once(eye, *[{"op": "auth", "token": token_of(served, "bridge", "importer")}] * 60, *posts(20))
        answers = [eye.until(lambda message: message["type"] in ("welcome", "refused", "ack")) for _ in range(80)]
        assert {answer["type"] for answer in answers} == {"welcome", "ack"}


def test_reactions_need_a_token_only_where_the_stream_says_so(served, stream, boss):
    assert served.call("PUT", f"/v1/streams/{stream}", {"rules": {"react_signed_in": True}}, boss)[0] == 200
    with Eye(served, stream) as eye:
        at_once(eye, react(**{"🔥": 1}))
        refusal = eye.next("refused")
        assert (refusal["code"], "ref" in refusal) == (101, False)
        eye.auth(token_of(served, "ann"))
        at_once(eye, react(**{"🔥": 2}))
        assert eye.batch("reactions")["reactions"] == {"🔥": 2}


# -- origin


def answered(served, stream: str, *lines: str, host: str = "") -> int:
    """The status of an upgrade with these header lines."""
    head = [
        f"GET /v1/streams/{stream}/live HTTP/1.1",
        f"Host: {host or f'127.0.0.1:{served.port}'}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        *lines,
    ]
    with connect(served.port) as sock:
        sock.sendall("\r\n".join([*head, "", ""]).encode())
        return int(read_until(sock, b"\r\n\r\n").split()[1])


@pytest.mark.parametrize("origin", LISTED)
def test_a_listed_origin_is_let_in(served, stream, origin):
    assert answered(served, stream, f"Origin: {origin}") == 101


def test_no_origin_is_let_in(served, stream):
    assert answered(served, stream) == 101


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://site.example",
        "https://site.example:443",
        "https://site.example/",
        "https://Site.example",
        "https://www.site.example",
        "https://site.example.evil.example",
        "https://evil.example?https://site.example",
        "https://site.example,http://other.example:8081",
        "http://other.example",
        "http://0.0.0.0",
    ],
)
def test_an_origin_that_is_not_listed_to_the_letter_is_403(served, stream, origin):
    assert answered(served, stream, f"Origin: {origin}") == 403


def test_an_origin_is_not_let_in_for_being_the_host(served, stream):
    assert answered(served, stream, "Origin: http://evil.example", host="evil.example") == 403


def test_a_listed_origin_does_not_vouch_for_a_second_one(served, stream):
    assert answered(served, stream, f"Origin: {LISTED[0]}", "Origin: https://evil.example") in (400, 403)
    assert answered(served, stream, "Origin: https://evil.example", f"Origin: {LISTED[0]}") in (400, 403)


# -- the token's end


def outlived(served, eye: Eye, *roles: str) -> None:
    """Signed in with a token whose time is up by the end."""
    until_s = int(time.time()) + 2
    assert eye.auth(token_of(served, "brief", *roles, until_s=until_s))["exp"] == until_s
    assert eye.post("before", "before")["type"] == "ack"
    until(lambda: time.time() >= until_s)


def test_who_outlives_the_token_is_told_and_goes_on_as_a_guest(served, stream, boss):
    with Eye(served, stream) as eye:
        outlived(served, eye)
        refusal = eye.post("late", "is it over?")
        assert (refusal["code"], refusal["reason"], refusal["again"]) == (102, "bad_token", True)
        assert refusal["text"] == "is it over?"
        notices = [message for message in eye.seen if message["type"] == "notice"]
        assert [(notice["code"], notice["reason"]) for notice in notices] == [(102, "bad_token")]
        assert eye.post("later", "and now?")["code"] == 101
        served.call("POST", f"/v1/streams/{stream}/comments", {"text": "watch on"}, boss)
        eye.sees("watch on")
        assert eye.auth(token_of(served, "brief"))["type"] == "welcome"
        assert eye.post("anew", "here again")["comment"]["user"]["id"] == "brief"
        until(lambda: history(served, stream) == ["here again", "watch on", "before"])


# -- bans


def banned(served, boss: str, stream: str, user: str, **how: Any) -> None:
    assert served.call("PUT", f"/v1/streams/{stream}/bans/{user}", {"why": "a test", **how}, boss)[0] == 204


def test_a_resume_does_not_get_around_a_ban(served, stream, boss):
    eve = token_of(served, "eve")
    with Eye(served, stream) as eye:
        eye.auth(eve)
        banned(served, boss, stream, "eve")
        assert (eye.next("notice")["code"], eye.post("a", "let me")["code"]) == (110, 110)
        position = next(message["position"] for message in reversed(eye.seen) if "position" in message)
    for text, more in (("one", {}), ("two", {"additional_headers": {"Authorization": f"Bearer {eve}"}})):
        with Eye(served, stream, f"?position={position}", **more) as eye:
            assert eye.joined["recovered"] is True
            assert more or eye.auth(eve)["type"] == "welcome"
            assert eye.post("b", "let me")["code"] == 110
            served.call("POST", f"/v1/streams/{stream}/comments", {"text": text}, boss)
            eye.sees(text)
    assert served.call("POST", f"/v1/streams/{stream}/comments", {"text": "let me"}, eve)[1]["code"] == 110


def test_every_connection_of_the_banned_is_told(served, stream, boss):
    eve = token_of(served, "eve")
    with Eye(served, stream) as one, Eye(served, stream) as other:
        one.auth(eve)
        other.auth(eve)
        banned(served, boss, stream, "eve", seconds=60)
        assert [eye.next("notice")["code"] for eye in (one, other)] == [111, 111]


def test_who_was_banned_while_away_is_told_behind_welcome(served, stream, boss):
    eve = token_of(served, "eve")
    with Eye(served, stream) as eye, Eye(served, stream) as witness:
        position = eye.joined["position"]
        eye.close()
        banned(served, boss, stream, "eve", remove=True)
        witness.batch("removed_users")
    with Eye(served, stream, f"?position={position}") as eye:
        eye.auth(eve)
        assert eye.next("notice")["code"] == 110
        kinds = [message["type"] for message in eye.seen]
        assert kinds.count("notice") == 1
        assert kinds.index("notice") > kinds.index("welcome")


def test_a_time_out_ends_when_it_said(served, stream, boss):
    with Eye(served, stream) as eye:
        eye.auth(token_of(served, "eve"))
        banned(served, boss, stream, "eve", seconds=1)
        wait_ms = eye.post("a", "let me")["retry_after_ms"]
        assert 0 < wait_ms <= 1000
        free_at = time.monotonic() + wait_ms / 1000
        until(lambda: time.monotonic() >= free_at)
        assert eye.post("b", "let me")["type"] == "ack"


def test_a_token_that_ended_is_no_sign_in_for_reactions(served, stream, boss):
    assert served.call("PUT", f"/v1/streams/{stream}", {"rules": {"react_signed_in": True}}, boss)[0] == 200
    with Eye(served, stream) as eye:
        outlived(served, eye)
        at_once(eye, react(**{"🔥": 2}))
        assert eye.next("refused")["code"] in (101, 102)


def test_who_outlives_the_token_in_silence_is_told_with_a_ping(tmp_path):
    with Tuned(tmp_path, ping_s="1", pong_s="1") as house, Eye(house, "s") as eye:
        outlived(house, eye)
        assert eye.next("notice")["code"] == 102


def test_an_importer_may_post_more_than_twenty_at_once(served, stream):
    with Eye(served, stream) as eye:
        eye.auth(token_of(served, "bridge", "importer"))
        at_once(eye, *posts(60))
        answers = [eye.until(lambda message: "ref" in message) for _ in range(60)]
        assert Counter(answer["type"] for answer in answers) == {"ack": 60}


def test_a_refusal_is_counted_once(served, stream):
    with Eye(served, stream) as eye:
        before = number(served, "uproar_refusals_total", reason="not_signed_in")
        assert eye.post("a", "a")["code"] == 101
        assert number(served, "uproar_refusals_total", reason="not_signed_in") == before + 1
