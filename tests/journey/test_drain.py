"""A server that is told to stop while everybody talks: all are told when to come back, and what was answered holds."""

import json
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from http.client import HTTPConnection, HTTPException
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.journey.eyes import Eye
from tests.journey.tuned import Tuned, token_of, until

STREAM = "load"
VIEWERS = 50
SPEAKERS = 3  # of each kind
AT_ONCE = 10  # posts of one speaker that wait for their answer
BUSY = 100  # posts of each after which the load is one
DRAIN_MS = 4_000
UNCONFIRMED = 503


class Speaker(threading.Thread):
    """Posts without a pause until the server is gone; `kept` and `refused` are what was answered, by text."""

    def __init__(self, served: Tuned, name: str) -> None:
        super().__init__(name=name)
        self.served = served
        self.token = token_of(served, name, "importer")
        self.kept: dict[str, str] = {}
        self.refused: dict[str, int] = {}
        self.sent: list[str] = []

    def next(self) -> str:
        self.sent.append(f"{self.name} {len(self.sent)}")
        return self.sent[-1]

    def note(self, text: str, answer: dict[str, Any]) -> None:
        if "code" in answer:
            self.refused[text] = answer["code"]
        else:
            self.kept[text] = answer["id"]


class OverWebSocket(Speaker):
    def run(self) -> None:
        with Eye(self.served, STREAM, "?history=0") as self.eye:
            self.eye.auth(self.token)
            for _ in range(AT_ONCE):
                self.post()
            with suppress(ConnectionClosed):
                while True:
                    self.eye.until(lambda message: "ref" in message)
                    self.post()
            self.eye.closed()  # a post that found the door shut was not the last that there is to read
            for answer in self.eye.seen:
                if "ref" in answer:
                    self.note(answer["ref"], answer.get("comment", answer))

    def post(self) -> None:
        text = self.next()
        self.eye.say("post", ref=text, text=text)


class OverRest(Speaker):
    def run(self) -> None:
        line = HTTPConnection("127.0.0.1", self.served.port, timeout=10)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            while True:
                text = self.next()
                line.request("POST", f"/v1/streams/{STREAM}/comments", json.dumps({"text": text}), headers)
                self.note(text, json.load(line.getresponse()))
        except (HTTPException, OSError):
            line.close()


def everything(served: Tuned) -> list[dict[str, Any]]:
    """All comments of the stream, newest first, by its pages."""
    found: list[dict[str, Any]] = []
    query = "limit=200"
    while query:
        page = served.call("GET", f"/v1/streams/{STREAM}/comments?{query}")[1]
        found += page["comments"]
        query = page["next"] and f"limit=200&before={page['next']}"
    return found


class Stopped:
    """What was seen of a server that got SIGTERM while speakers posted and viewers watched."""

    def __init__(self, served: Tuned) -> None:
        self.served = served
        self.eyes = [Eye(served, STREAM, "?history=0") for _ in range(VIEWERS)]
        speakers = [(OverWebSocket, "w"), (OverRest, "r")]
        self.speakers = [kind(served, f"{name}{at}") for kind, name in speakers for at in range(SPEAKERS)]
        with ThreadPoolExecutor(VIEWERS) as pool:
            codes = pool.map(Eye.closed, self.eyes)
            for speaker in self.speakers:
                speaker.start()
            until(lambda: all(len(speaker.sent) >= BUSY for speaker in self.speakers))
            served.process.send_signal(signal.SIGTERM)
            self.exit_status = served.process.wait(15)
            self.codes = list(codes)
        for speaker in self.speakers:
            speaker.join()
        self.byes = [eye.seen[-1] for eye in (*self.eyes, *(each.eye for each in self.speakers[:SPEAKERS]))]


@pytest.fixture(scope="module", params=[1, 2], ids=["gateways1", "gateways2"])
def gateways(request) -> int:
    """How many processes serve the viewers."""
    return request.param


@pytest.fixture(scope="module")
def stopped(tmp_path_factory, gateways) -> Iterator[Stopped]:
    """Stopped, and started again."""
    served = Tuned(tmp_path_factory.mktemp("data"), gateways=str(gateways), drain_s=str(DRAIN_MS / 1000))
    with served, ExitStack() as held:
        rules = {"rules": {"show": "all"}}
        assert served.call("PUT", f"/v1/streams/{STREAM}", rules, token_of(served, "boss", "admin"))[0] == 201
        stopped = Stopped(served)
        for eye in stopped.eyes:
            held.callback(eye.close)
        served.start()
        yield stopped


def test_the_server_ends_in_order(stopped):
    assert stopped.exit_status == 0
    assert stopped.codes == [4000] * VIEWERS


def test_everyone_is_told_when_to_come_back_spread_evenly_over_the_drain(stopped, gateways):
    assert {(bye["type"], bye["code"], bye["reason"]) for bye in stopped.byes} == {("bye", 4000, "shutdown")}
    waits = sorted(bye["retry_after_ms"] for bye in stopped.byes)
    if gateways == 1:
        assert waits == [DRAIN_MS * (at + 1) // len(waits) for at in range(len(waits))]
    apart = [later - earlier for earlier, later in zip([0, *waits], waits, strict=False)]
    assert max(apart) <= (gateways + 1) * DRAIN_MS / len(waits)
    assert waits[-1] == DRAIN_MS


def test_every_acknowledged_comment_is_in_history_once_and_no_refused_one(stopped):
    kept = {text: id_ for speaker in stopped.speakers for text, id_ in speaker.kept.items()}
    refused = {text for speaker in stopped.speakers for text, code in speaker.refused.items() if code != UNCONFIRMED}
    sent = {text for speaker in stopped.speakers for text in speaker.sent}
    until(lambda: kept.items() <= {comment["text"]: comment["id"] for comment in everything(stopped.served)}.items())
    counts = Counter(comment["text"] for comment in everything(stopped.served))
    assert counts.most_common(1)[0][1] == 1
    assert not refused & counts.keys()
    assert counts.keys() <= sent


def test_who_comes_back_with_its_position_has_every_acknowledged_comment_once(stopped):
    kept = {id_ for speaker in stopped.speakers for id_ in speaker.kept.values()}
    seen = [comment["id"] for message in stopped.eyes[0].seen for comment in message.get("comments", ())]
    position = next(message["position"] for message in reversed(stopped.eyes[0].seen) if "position" in message)
    with Eye(stopped.served, STREAM, f"?position={position}") as again:
        assert again.joined["recovered"] is True
        while not kept <= set(seen):
            seen += [comment["id"] for comment in again.batch("comments")["comments"]]
    assert len(seen) == len(set(seen))


def test_what_is_kept_while_the_server_stops_is_acknowledged(stopped):
    there = {comment["text"] for comment in everything(stopped.served)}
    assert there == {text for speaker in stopped.speakers for text in speaker.kept}
