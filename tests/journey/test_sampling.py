"""A stream that is shown in part: what concerns one user reaches that user all the same, missed or not, once."""

import itertools
import json
from contextlib import AbstractContextManager
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.journey.eyes import WITHIN_S, Eye
from tests.journey.tuned import Tuned, token_of, until

SAMPLED = {
    "plan_viewers": "1,2",  # two viewers make a stream large
    "plan_window_ms": "100,100,400",
    "plan_frame_comments": "50,50,1",  # of a large stream's window one comment is shown
}
CROWD = 3


class Stage:
    """A sampled stream, a comment of Ann's in it, and Bob, whose replies nobody is shown: the crowd's questions win."""

    def __init__(self, served: Tuned, stream: str) -> None:
        self.served, self.stream = served, stream
        self.eyes = {name: Eye(served, stream) for name in ("bob", "crowd")}
        self.bob, self.crowd = self.eyes.values()
        self.bob.auth(token_of(served, "bob", "importer"))
        self.crowd.auth(token_of(served, "crowd", "importer", verified=True))
        with Eye(served, stream) as ann:
            ann.auth(token_of(served, "ann"))
            self.parent = ann.post("parent", "parent")["comment"]["id"]
        self.bob.sees("parent")
        self._rounds = itertools.count(1)
        until(lambda: "left_out" in self.ask())

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_: object) -> None:
        for eye in self.eyes.values():
            eye.close()

    def ask(self, reply: str = "") -> dict[str, Any]:
        """Bob may reply while the crowd asks, all in one window: its batch."""
        number = next(self._rounds)
        if reply:
            self.bob.say("post", ref=reply, text=reply, reply_to=self.parent)
        for at in range(CROWD):
            self.crowd.say("post", ref=f"q{number}.{at}", text=f"question {number}.{at}?")
        return self.crowd.batch("comments")

    def reply(self) -> dict[str, Any]:
        """Bob's reply to Ann, as its ack tells it; the batch leaves it out."""
        text = f"reply {next(self._rounds)}"
        batch = self.ask(text)
        assert (len(batch["comments"]), batch["left_out"]) == (1, CROWD)
        return self.bob.until(lambda message: message.get("ref") == text)["comment"]


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    with Tuned(tmp_path_factory.mktemp("data"), **SAMPLED) as house, Stage(house, "s") as stage:
        yield stage


def mine(eye: Eye) -> list[dict[str, Any]]:
    """The comments that were for this viewer alone."""
    return [message["comment"] for message in eye.seen if message["type"] == "for_you"]


def as_ann(stage: Stage) -> dict[str, Any]:
    """The handshake's header."""
    return {"additional_headers": {"Authorization": f"Bearer {token_of(stage.served, 'ann')}"}}


def test_a_reply_to_me_that_is_left_out_reaches_me_and_nobody_else(stage):
    with Eye(stage.served, stage.stream) as ann:
        ann.auth(token_of(stage.served, "ann"))
        reply = stage.reply()
        assert ann.next("for_you") == {"type": "for_you", "comment": reply}
        assert reply["reply_to"]["id"] == stage.parent
        stage.ask()
        ann.batch("comments")
        assert mine(ann) == [reply]
        assert mine(stage.bob) == mine(stage.crowd) == []
        shown = [comment["text"] for message in stage.crowd.seen for comment in message.get("comments", ())]
        assert reply["text"] not in shown


def test_what_is_left_out_is_in_history(stage):
    reply = stage.reply()
    thread = f"/v1/streams/{stage.stream}/comments/{stage.parent}/replies"
    until(lambda: reply | {"stream": stage.stream} in stage.served.call("GET", thread)[1]["comments"])


def missed_by_ann(stage: Stage) -> tuple[str, list[dict[str, Any]]]:
    """The position at which Ann left, and the replies to her since, in order."""
    with Eye(stage.served, stage.stream) as ann:
        position = ann.joined["position"]
    return position, [stage.reply(), stage.reply()]


def test_replies_missed_while_away_follow_welcome_once(stage):
    position, missed = missed_by_ann(stage)
    with Eye(stage.served, stage.stream, f"?position={position}") as ann:
        assert ann.joined["recovered"] is True
        assert ann.auth(token_of(stage.served, "ann"))["type"] == "welcome"
        assert mine(ann) == []
        assert [ann.next("for_you")["comment"] for _ in missed] == missed
        ann.auth(token_of(stage.served, "ann"))
        stage.ask()
        ann.batch("comments")
        assert mine(ann) == missed


def test_replies_missed_while_away_follow_the_resume_of_a_handshake_with_a_token(stage):
    position, missed = missed_by_ann(stage)
    with Eye(stage.served, stage.stream, f"?position={position}", **as_ann(stage)) as ann:
        assert ann.joined["recovered"] is True
        assert [ann.next("for_you")["comment"] for _ in missed] == missed


def test_another_users_replies_are_not_for_me(stage):
    position, _ = missed_by_ann(stage)
    with Eye(stage.served, stage.stream, f"?position={position}") as cid:
        cid.auth(token_of(stage.served, "cid"))
        stage.ask()
        cid.until(lambda message: message.get("position") == stage.crowd.seen[-1]["position"])
        assert mine(cid) == []


# -- as server-sent events


def events(stage: Stage, token: str, last: str = "") -> AbstractContextManager[Any]:
    """The stream as events, from behind the last one where one is named."""
    head = {"Accept": "text/event-stream", "Authorization": f"Bearer {token}"}
    head |= {"Last-Event-ID": last} if last else {}
    return urlopen(Request(f"{stage.served.url}/v1/streams/{stage.stream}/live", headers=head), timeout=WITHIN_S)


def told(answer: Any, kind: str) -> dict[str, Any]:
    """The next message of a kind."""
    messages = (json.loads(line[6:]) for line in answer if line.startswith(b"data: "))
    return next(message for message in messages if message["type"] == kind)


def test_events_bring_replies_to_the_reader_of_the_token_live_and_missed(stage):
    position, missed = missed_by_ann(stage)
    with events(stage, token_of(stage.served, "ann"), position) as answer:
        assert told(answer, "joined")["recovered"] is True
        assert [told(answer, "for_you")["comment"] for _ in missed] == missed
        reply = stage.reply()
        assert told(answer, "for_you")["comment"] == reply


@pytest.mark.parametrize("how", ["auth", "handshake", "events"])
def test_a_reply_that_was_removed_meanwhile_is_not_given_to_who_comes_back(stage, how):
    position, (one, two) = missed_by_ann(stage)
    at = f"/v1/streams/{stage.stream}/comments/{one['id']}"
    assert stage.served.call("DELETE", at, {"why": "a test"}, token_of(stage.served, "boss", "admin"))[0] == 204
    if how == "events":
        with events(stage, token_of(stage.served, "ann"), position) as answer:
            assert told(answer, "for_you")["comment"] == two
        return
    with Eye(
        stage.served, stage.stream, f"?position={position}", **(as_ann(stage) if how == "handshake" else {})
    ) as ann:
        if how == "auth":
            ann.auth(token_of(stage.served, "ann"))
        assert ann.next("for_you")["comment"] == two
        assert mine(ann) == [two]


@pytest.mark.parametrize("how", ["auth", "handshake", "events"])
def test_replies_missed_over_a_restart_are_given_to_who_comes_back(tmp_path, how):
    with Tuned(tmp_path, **SAMPLED) as house:
        with Stage(house, "s") as stage:
            position, missed = missed_by_ann(stage)
        house.stop()
        house.start()
        if how == "events":
            with events(stage, token_of(house, "ann"), position) as answer:
                assert [told(answer, "for_you")["comment"] for _ in missed] == missed
            return
        with Eye(house, "s", f"?position={position}", **(as_ann(stage) if how == "handshake" else {})) as ann:
            assert ann.joined["recovered"] is True
            if how == "auth":
                ann.auth(token_of(house, "ann"))
            assert [ann.next("for_you")["comment"] for _ in missed] == missed
