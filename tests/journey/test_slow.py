"""Viewers that do not read, or do not answer: what they are owed, what they are told, and when that ends."""

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.request import urlopen

import pytest

from tests.journey.eyes import Eye
from tests.journey.tuned import Tuned, number, token_of, until
from tests.web.served import Served

ROUND = 20  # posts of one viewer that may wait for their acks at once
WIDE = "字" * 480
WIDE_BYTES = 1_440
SOME_BYTES = 150_000  # more than a thin line holds, less than is still sent whole
MUCH_BYTES = 700_000  # more than is still sent whole
POLL_S = 10


def behind_a_thin_line(served: Served, stream: str) -> Eye:
    """A viewer that takes what it is asked for, and whose socket and line hold little else."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)  # the other side's buffer is sized by it
    line.connect(("127.0.0.1", served.port))
    return Eye(served, stream, plain=True, sock=line, max_queue=1)


def writing(served: Served, stream: str) -> Eye:
    """A viewer who may say much, and reads it."""
    eye = Eye(served, stream)
    eye.auth(token_of(served, "boss", "admin", "importer"))
    return eye


def say_a_little(writer: Eye, name: str) -> None:
    """Three batches: a viewer that keeps one message and is asked for none reads no more."""
    for at in range(3):
        writer.post(f"{name}{at}", f"{name}{at}")
        writer.sees(f"{name}{at}")


def flood(writer: Eye, name: str, size_bytes: int) -> None:
    """Say so much, every bit of it acknowledged."""
    for turn in range(0, size_bytes // WIDE_BYTES, ROUND):
        for at in range(turn, turn + ROUND):
            writer.say("post", ref=f"{name}{at}", text=f"{name}{at} {WIDE}")
        for _ in range(ROUND):
            writer.next("ack")


def lag(served: Served, writer: Eye) -> None:
    """Until the one who does not read lags."""
    say_a_little(writer, "little")
    flood(writer, "some", SOME_BYTES)
    until(lambda: number(served, "uproar_lagging_viewers") == 1)


def batches(eye: Eye) -> list[dict[str, Any]]:
    """All that it saw, in order."""
    return [message for message in eye.seen if message["type"] == "batch"]


def seq(message: dict[str, Any]) -> int:
    return int(message["position"].rsplit(".", 1)[1])


def test_who_reads_again_soon_gets_every_missed_batch_in_order(served):
    with writing(served, "soon") as writer, behind_a_thin_line(served, "soon") as slow:
        lag(served, writer)
        writer.post("last", "last")
        writer.sees("last")
        slow.sees("last")
        assert "skipped" not in [message["type"] for message in slow.seen]
        assert batches(slow) == [batch for batch in batches(writer) if seq(batch) > seq(slow.joined)]
        numbers = [seq(batch) for batch in batches(slow)]
        assert numbers == list(range(seq(slow.joined) + 1, seq(slow.joined) + 1 + len(numbers)))


def test_who_missed_too_much_is_told_the_net_result_and_goes_on_one_above_it(served):
    boss, at = token_of(served, "boss", "admin"), "/v1/streams/late"
    with writing(served, "late") as writer, behind_a_thin_line(served, "late") as slow:
        gone, kept = (writer.post(text, text)["comment"]["id"] for text in ("to be removed", "to be pinned"))
        slow.sees("to be pinned")
        lag(served, writer)
        assert served.call("PUT", f"{at}/pins/{gone}", {}, boss)[0] == 204
        writer.batch("pinned")
        assert served.call("DELETE", f"{at}/comments/{gone}", {"why": "a test"}, boss)[0] == 204
        assert served.call("PUT", f"{at}/pins/{kept}", {}, boss)[0] == 204
        writer.say("like", comment=kept).say("react", counts={"🔥": 3}).batch("reactions")
        writer.say("react", counts={"🔥": 4, "❤": 1}).batch("reactions")
        assert served.call("PUT", f"{at}/bans/eve", {"seconds": 60, "why": "a test", "remove": True}, boss)[0] == 204
        assert served.call("PUT", at, {"rules": {"max_chars": 499}}, boss)[0] == 200
        writer.batch("rules")
        flood(writer, "much", MUCH_BYTES)
        writer.post("last", "last")
        writer.sees("last")
        skipped = slow.next("skipped")
        missed = [batch for batch in batches(writer) if seq(batch) > seq(batches(slow)[-1])]
        assert skipped.pop("pinned")[0]["id"] == kept
        assert skipped == {
            "type": "skipped",
            "position": missed[-1]["position"],
            "frames": len(missed),
            "comments": sum(len(batch.get("comments", ())) for batch in missed),
            "removed_users": ["eve"],
            "removed": [gone],
            "liked": {kept: 1},
            "reactions": {"🔥": 7, "❤": 1},
            "rules": slow.joined["rules"] | {"max_chars": 499},
        }
        assert skipped["comments"] > MUCH_BYTES // WIDE_BYTES
        writer.post("next", "next")
        slow.sees("next")
        assert [seq(batch) for batch in batches(slow) if seq(batch) > seq(skipped)] == [seq(skipped) + 1]


def test_who_lags_for_too_long_is_told_so_and_closed_with_4001(tmp_path):
    with (
        Tuned(tmp_path, lag_close_s="1") as house,
        writing(house, "s") as writer,
        behind_a_thin_line(house, "s") as slow,
    ):
        say_a_little(writer, "little")
        flood(writer, "some", SOME_BYTES)
        until(lambda: number(house, "uproar_closes_total", code="4001") == 1)
        assert slow.closed() == 4001
        assert slow.seen[-1] == {"type": "bye", "code": 4001, "reason": "too_slow"}
        writer.post("last", "last")
        writer.sees("last")
        assert batches(slow) == batches(writer)[: len(batches(slow))]
        assert writer.post("on", "on")["type"] == "ack"


def test_who_answers_no_ping_is_told_so_and_closed_with_4002_and_who_does_stays(tmp_path):
    house = Tuned(tmp_path, ping_s="1", pong_s="1")
    with house, writing(house, "s") as writer, Eye(house, "s", max_queue=1) as mute:
        say_a_little(writer, "little")
        until(lambda: number(house, "uproar_closes_total", code="4002") == 1)
        assert mute.closed() == 4002
        assert mute.seen[-1] == {"type": "bye", "code": 4002, "reason": "no_pong"}
        writer.post("on", "on")
        writer.sees("on")


@pytest.mark.parametrize("again", range(3))  # how much of the last frame waits is chance
def test_who_lags_may_speak(served, again):
    with writing(served, f"speak{again}") as writer, behind_a_thin_line(served, f"speak{again}") as slow:
        lag(served, writer)
        closes = number(served, "uproar_closes_total", code="4001")
        refused = number(served, "uproar_posts_total", outcome="refused")
        slow.say("post", ref="r", text="may I?")
        until(lambda: number(served, "uproar_posts_total", outcome="refused") > refused)
        assert number(served, "uproar_closes_total", code="4001") == closes


@pytest.fixture(scope="module", autouse=True)
def quiet_poll(served: Served) -> Iterator[Future[tuple[dict[str, Any], float]]]:
    """What a poll of a stream in which nothing happens is answered, and in how many seconds; others wait beside it."""
    with Eye(served, "quiet") as eye:
        at = eye.joined["position"] if seq(eye.joined) else eye.batch("rules")["position"]

    def poll() -> tuple[dict[str, Any], float]:
        began = time.monotonic()
        with urlopen(f"{served.url}/v1/streams/quiet/frames?after={at}", timeout=2 * POLL_S) as answer:
            return json.load(answer), time.monotonic() - began

    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(poll)


def test_a_poll_without_news_is_answered_empty_after_ten_seconds(quiet_poll):
    answer, took_s = quiet_poll.result()
    assert answer == {"batches": []}
    assert took_s >= POLL_S - 0.1
