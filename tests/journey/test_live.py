"""Watching and speaking as a viewer does, against the real server: each answer is the protocol's, to the letter."""

import itertools
import json
import signal
import threading
import time
from contextlib import ExitStack
from http.client import HTTPConnection

import pytest
from websockets.exceptions import InvalidStatus
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from tests.journey.eyes import Eye
from tests.web.served import Served

NUMBERS = itertools.count(1)
GATEWAYS = ("1", "2")


@pytest.fixture(scope="module")
def tokens(served):
    return {name: served.token(name) for name in ("Ann", "Bob", "Cid")}


@pytest.fixture
def stream(served, boss):
    """A stream of this test's own, in which nothing is sampled, and whose making was told."""
    name = f"s{next(NUMBERS)}"
    assert served.call("PUT", f"/v1/streams/{name}", {"rules": {"show": "all"}}, boss)[0] == 201
    with Eye(served, name) as eye:
        if eye.joined["position"].endswith(".0"):
            eye.batch("rules")
    return name


def refusal(served, stream, query="", **headers):
    """The status and body with which an upgrade is refused."""
    with pytest.raises(InvalidStatus) as caught:
        Eye(served, stream, query, **headers)
    answer = caught.value.response
    return answer.status_code, json.loads(answer.body)


def asked(served, path, within_s=12, **headers):
    """A GET: its open response."""
    connection = HTTPConnection("127.0.0.1", served.port, timeout=within_s)
    connection.request("GET", path, headers=headers)
    return connection.getresponse()


def put(served, boss, stream, **fields):
    assert served.call("PUT", f"/v1/streams/{stream}", fields, boss)[0] == 200


def test_what_ann_posts_bob_and_cid_see_the_same(served, stream, tokens):
    with Eye(served, stream) as ann, Eye(served, stream) as bob, Eye(served, stream, plain=True) as cid:
        assert ann.auth(tokens["Ann"])["user"] == {"id": "ann", "name": "Ann"}
        kept = ann.post("r1", " hello ")
        assert (kept["type"], kept["comment"]["text"]) == ("ack", "hello")
        assert ann.sees("hello") == bob.sees("hello") == cid.sees("hello") == kept["comment"]
        batches = [[m for m in eye.seen if m["type"] == "batch"] for eye in (bob, cid)]
        assert batches[0] == batches[1]
        assert "stream" not in kept["comment"]


def test_history_is_the_newest_oldest_first(served, stream, boss):
    for number in range(5):
        assert served.call("POST", f"/v1/streams/{stream}/comments", {"text": f"h{number}"}, boss)[0] == 201
    with Eye(served, stream) as eye:
        if len(eye.joined["comments"]) < 5:
            eye.sees("h4")
    for query, texts in (("?history=2", ["h3", "h4"]), ("?history=0", []), ("", ["h0", "h1", "h2", "h3", "h4"])):
        with Eye(served, stream, query) as eye:
            assert [comment["text"] for comment in eye.joined["comments"]] == texts
            assert eye.joined["recovered"] is False
            assert set(eye.joined["rules"]) == {"max_chars", "slow_ms", "reactions", "state"}


@pytest.mark.parametrize("query", ["history=201", "history=-1", "history=x", "position=x", "position=a.b", "position="])
def test_a_malformed_wish_is_400(served, stream, query):
    status, body = refusal(served, stream, f"?{query}")
    assert (status, body["code"]) == (400, 310)


def test_origins(served, stream):
    foreign = {"additional_headers": {"Origin": "http://evil.example"}}
    assert refusal(served, stream, **foreign)[0] == 403
    for host in ("127.0.0.1", "localhost", "[::1]"):
        Eye(served, stream, additional_headers={"Origin": f"http://{host}:{served.port}"}).close()


def test_a_resume_gives_every_missed_batch_once(served, stream, boss, tokens):
    with Eye(served, stream) as bob:
        position = bob.joined["position"]
        for number in range(3):
            served.call("POST", f"/v1/streams/{stream}/comments", {"text": f"m{number}"}, boss)
            bob.sees(f"m{number}")
        batches = [message for message in bob.seen if message["type"] == "batch"]
    with Eye(served, stream, f"?position={position}") as again:
        assert (again.joined["position"], again.joined["recovered"]) == (position, True)
        assert [again.joined[field] for field in ("comments", "pinned", "reactions")] == [[], [], {}]
        again.sees("m2")
        assert [message for message in again.seen if message["type"] == "batch"] == batches
    epoch, number = position.rsplit(".", 1)
    numbers = [int(message["position"].rsplit(".", 1)[1]) for message in batches]
    assert numbers == list(range(int(number) + 1, int(number) + 1 + len(numbers)))
    for unknown in ("other.1", f"{epoch}.999999"):
        with Eye(served, stream, f"?position={unknown}") as lost:
            assert lost.joined["recovered"] is False
            assert [comment["text"] for comment in lost.joined["comments"]] == ["m0", "m1", "m2"]


def test_a_bad_token_leaves_the_connection_as_it_was_and_a_good_one_changes_it(served, stream, tokens):
    with Eye(served, stream) as eye:
        answer = eye.post("r0", "too early")
        assert {key: answer[key] for key in ("type", "ref", "code", "reason", "again", "text")} == {
            "type": "refused",
            "ref": "r0",
            "code": 101,
            "reason": "not_signed_in",
            "again": True,
            "text": "too early",
        }
        eye.auth(tokens["Ann"])
        assert eye.auth("rubbish")["code"] == 102
        assert eye.post("r1", "still ann")["comment"]["user"]["id"] == "ann"
        eye.auth(tokens["Bob"])
        assert eye.post("r2", "now bob")["comment"]["user"]["id"] == "bob"


def test_a_ref_says_a_thing_once(served, stream, tokens):
    with Eye(served, stream) as eye:
        eye.auth(tokens["Cid"])
        first, again, other = eye.post("k", "once"), eye.post("k", "once"), eye.post("k", "twice")
        assert first == again
        assert (other["code"], other["text"]) == (310, "twice")


def test_binary_and_unknown_messages_are_310_and_the_21st_closes(served, stream):
    with Eye(served, stream) as eye:
        eye.socket.send(b"\x00\x01")
        assert eye.next("refused")["code"] == 310
        for _ in range(19):
            eye.socket.send('{"op": "dance"}')
            assert eye.next("refused")["code"] == 310
        time.sleep(1.1)  # the pace allows twenty a second
        eye.socket.send('{"op": "like", "comment": "1", "more": 1}')
        assert eye.closed() == 4500
        assert (eye.seen[-1]["type"], eye.seen[-1]["code"]) == ("bye", 4500)


def test_more_than_twenty_messages_a_second_are_502(served, stream):
    with Eye(served, stream) as eye:
        for number in range(30):
            eye.say("post", ref=f"f{number}", text="fast")
        codes = [eye.next("refused")["code"] for _ in range(30)]
        assert codes[:20].count(101) + codes[20:].count(101) == 20
        assert codes.count(502) == 10


def test_a_message_over_8_kib_is_1009_and_fragments_are_one_message(served, stream, tokens):
    with Eye(served, stream) as eye:
        whole = json.dumps({"op": "auth", "token": tokens["Ann"]})
        eye.socket.send([whole[:10], whole[10:30], whole[30:]])
        assert eye.next("welcome")["user"]["id"] == "ann"
    with Eye(served, stream, plain=True) as eye:
        eye.socket.send("x" * 8193)
        assert eye.closed() == 1009


@pytest.mark.parametrize("said", [["x"] * 65, "x" * 70_000], ids=["65 fragments", "much inflated"])
def test_what_unfolds_too_far_is_1009(served, stream, said):
    with Eye(served, stream) as eye:
        eye.socket.send(said)
        assert eye.closed() == 1009


def test_a_handshake_with_a_token_is_signed_in(served, stream, tokens):
    with Eye(served, stream, additional_headers={"Authorization": f"Bearer {tokens['Ann']}"}) as eye:
        assert eye.post("h", "at once")["comment"]["user"]["id"] == "ann"


def test_reactions_are_added_exactly(served, stream):
    with Eye(served, stream) as ann, Eye(served, stream) as bob:
        ann.say("react", counts={"🦖": 1})
        answer = ann.next("refused")
        assert (answer["code"], "ref" in answer) == (310, False)
        ann.say("react", counts={"🔥": 51})
        assert ann.next("refused")["code"] == 310
        ann.say("react", counts={"🔥": 50}).say("react", counts={"❤": 3, "🔥": 1})
        total: dict[str, int] = {}
        while total != {"🔥": 51, "❤": 3}:
            for kind, count in bob.batch("reactions")["reactions"].items():
                total[kind] = total.get(kind, 0) + count
    with Eye(served, stream) as late:
        assert late.joined["reactions"] == total


def test_likes_toggle_and_a_report_is_acknowledged(served, stream, boss, tokens):
    with Eye(served, stream) as ann, Eye(served, stream) as bob:
        assert ann.say("like", comment="1").next("refused")["code"] == 101
        ann.auth(boss)
        id_ = ann.post("r", "like me")["comment"]["id"]
        bob.sees("like me")
        ann.say("like", comment=id_).say("like", comment=id_)
        assert bob.batch("liked")["liked"] == {id_: 1}
        ann.say("like", comment=id_, on=False)
        assert bob.batch("liked")["liked"] == {id_: 0}
        ann.say("report", ref="p", comment=id_, why="a test")
        assert ann.until(lambda message: message.get("ref") == "p") == {"type": "ack", "ref": "p"}


def test_a_removal_reaches_viewers_and_blanks_previews(served, stream, boss):
    with Eye(served, stream) as ann, Eye(served, stream) as bob:
        ann.auth(boss)
        parent = ann.post("a", "parent")["comment"]["id"]
        reply = ann.post("b", "reply", reply_to=parent)["comment"]
        assert reply["reply_to"] == {"id": parent, "user": "boss", "text": "parent"}
        bob.sees("reply")
        assert served.call("DELETE", f"/v1/streams/{stream}/comments/{parent}", {"why": "a test"}, boss)[0] == 204
        assert bob.batch("removed")["removed"] == [parent]
    with Eye(served, stream) as late:
        assert [c.get("reply_to") for c in late.joined["comments"]] == [{"id": parent, "user": "boss"}]


def test_pins_and_rules_and_the_end_reach_viewers(served, stream, boss):
    with Eye(served, stream) as eye:
        eye.auth(boss)
        id_ = eye.post("a", "pin me")["comment"]["id"]
        pin = f"/v1/streams/{stream}/pins/{id_}"
        assert served.call("PUT", pin, {}, boss)[0] in (200, 204)
        shown = eye.batch("pinned")["pinned"]
        assert [(c["id"], c["highlight"]) for c in shown] == [(id_, "pinned")]
        assert served.call("DELETE", pin, None, boss)[0] == 204
        assert eye.batch("unpinned")["unpinned"] == [id_]
        put(served, boss, stream, rules={"slow_ms": 5000, "max_chars": 100})
        rules = eye.batch("rules")["rules"]
        assert (rules["slow_ms"], rules["max_chars"], rules["state"]) == (5000, 100, "live")
        put(served, boss, stream, state="ended")
        assert eye.batch("rules")["rules"]["state"] == "ended"
        assert eye.post("late", "too late")["code"] == 302


def test_the_banned_are_told_and_muted_and_watch_on(served, stream, boss, tokens):
    ban = f"/v1/streams/{stream}/bans/bob"
    with Eye(served, stream) as eye, Eye(served, stream) as other:
        eye.auth(tokens["Bob"])
        said = eye.post("a", "spam")["comment"]["id"]
        eye.sees("spam")
        assert served.call("PUT", ban, {"seconds": 60, "why": "a test"}, boss)[0] in (200, 204)
        notice = eye.next("notice")
        assert (notice["code"], notice["reason"]) == (111, "timed_out")
        answer = eye.post("c", "let me")
        assert (answer["code"], answer["again"]) == (111, True)
        assert 0 < answer["retry_after_ms"] <= 60_000
        assert served.call("PUT", ban, {"why": "a test", "remove": True}, boss)[0] in (200, 204)
        assert eye.next("notice")["code"] == 110
        assert other.batch("removed_users")["removed_users"] == ["bob"]
        assert said not in [c["id"] for c in served.call("GET", f"/v1/streams/{stream}/comments")[1]["comments"]]
        assert "notice" not in [message["type"] for message in other.seen]
        answer = eye.post("b", "let me")
        assert (answer["code"], answer["reason"], answer["again"]) == (110, "banned", False)
        served.call("POST", f"/v1/streams/{stream}/comments", {"text": "watch on"}, boss)
        eye.sees("watch on")


def event(stream):
    """The next server-sent event: its id and message."""
    fields = {}
    while line := stream.readline().decode().rstrip("\n"):
        name, _, value = line.partition(":")
        fields[name] = value.strip()
    return (fields["id"], json.loads(fields["data"])) if "data" in fields else event(stream)


def test_server_sent_events_and_their_resume(served, stream, boss):
    path = f"/v1/streams/{stream}/live"
    with asked(served, path, Accept="text/event-stream") as events:
        assert events.headers["Content-Type"].startswith("text/event-stream")
        at, joined = event(events)
        assert (joined["type"], joined["position"], joined["recovered"]) == ("joined", at, False)
        served.call("POST", f"/v1/streams/{stream}/comments", {"text": "by events"}, boss)
        first = event(events)
        assert first[0] == first[1]["position"]
        assert first[1]["comments"][0]["text"] == "by events"
    with asked(served, path, Accept="text/event-stream", **{"Last-Event-ID": at}) as events:
        again, joined = event(events)
        assert (again, joined["recovered"]) == (at, True)
        assert event(events) == first


def test_frames_by_long_poll_and_one_by_one(served, stream, boss):
    with Eye(served, stream) as eye:
        at = eye.joined["position"]
        served.call("POST", f"/v1/streams/{stream}/comments", {"text": "framed"}, boss)
        eye.sees("framed")
        batch = eye.seen[-1]
    frames = f"/v1/streams/{stream}/frames"
    assert json.load(asked(served, f"{frames}?after={at}")) == {"batches": [batch]}
    assert json.load(asked(served, f"{frames}?after=other.1"))["joined"]["recovered"] is False
    one = asked(served, f"{frames}/{batch['position']}")
    assert (one.status, one.headers["Cache-Control"], json.load(one)) == (200, "max-age=2", batch)
    epoch = at.rsplit(".", 1)[0]
    above = asked(served, f"{frames}/{epoch}.999999")
    assert (above.status, above.headers["Cache-Control"]) == (404, "no-store")
    assert asked(served, f"{frames}/other.1").status == 410
    assert asked(served, f"{frames}/rubbish").status == 400


def test_a_long_poll_waits_for_the_next_batch(served, stream, boss):
    with Eye(served, stream) as eye:
        at = eye.joined["position"]
    said = threading.Timer(0.5, served.call, ("POST", f"/v1/streams/{stream}/comments", {"text": "waited for"}, boss))
    said.start()
    batches = json.load(asked(served, f"/v1/streams/{stream}/frames?after={at}"))["batches"]
    said.join()
    assert [comment["text"] for batch in batches for comment in batch["comments"]] == ["waited for"]


class Guarded(Served):
    """A server whose doors are shut."""

    def command(self) -> list[str]:
        return [*(word for word in super().command() if word != "--open"), "--gateways", "1"]


def test_an_unknown_stream_is_404_behind_shut_doors_and_sigterm_says_bye_to_all(tmp_path):
    served = Guarded(tmp_path).start()
    try:
        status, body = refusal(served, "nowhere")
        assert (status, body["code"]) == (404, 301)
        assert served.call("PUT", "/v1/streams/s", {}, served.token("Boss", "admin"))[0] == 201
        eyes = [Eye(served, "s") for _ in range(4)]
        served.process.send_signal(signal.SIGTERM)
        assert [eye.closed() for eye in eyes] == [4000] * 4
        byes = [eye.seen[-1] for eye in eyes]
        assert {(bye["type"], bye["code"], bye["reason"]) for bye in byes} == {("bye", 4000, "shutdown")}
        waits = sorted(bye["retry_after_ms"] for bye in byes)
        assert len({later - earlier for earlier, later in zip(waits, waits[1:], strict=False)}) == 1
        assert waits[0] > 0
        assert served.process.wait(10) == 0
    finally:
        served.stop()


def test_whoever_comes_while_others_share_a_compression_context_reads_the_same(served, stream):
    """Frames are inflated by another's code: in one context, each by itself, and not at all."""
    alone = ClientPerMessageDeflateFactory(server_no_context_takeover=True)
    with Eye(served, stream) as writer, ExitStack() as held:
        writer.auth(served.token("Imp", "importer"))
        watching = [writer]
        for number in range(24):
            if number % 4 == 0:
                watching.append(held.enter_context(Eye(served, stream)))
                watching.append(held.enter_context(Eye(served, stream, extensions=[alone])))
                watching.append(held.enter_context(Eye(served, stream, plain=True)))
            text = f"comment {number} is much like all the others, 😀 and so on"
            writer.say("post", ref=f"r{number}", text=text)
            told = [eye.sees(text) for eye in watching]
            assert told == [told[0]] * len(watching)
