"""Server-sent events beyond joined and batches: who else watches, what is for one reader alone, and a stop."""

import json
import signal
import time
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.web.served import Served


@pytest.fixture
def house(tmp_path):
    served = Served(tmp_path / "data").start()
    yield served
    served.kill()


def watch(served, stream, token="", timeout=15):
    head = {"Accept": "text/event-stream"} | ({"Authorization": f"Bearer {token}"} if token else {})
    return urlopen(Request(f"{served.url}/v1/streams/{stream}/live", headers=head), timeout=timeout)


def messages(answer):
    """The events' data, as they come."""
    for line in answer:
        if line.startswith(b"data: "):
            yield json.loads(line[6:])


def until(events, kind):
    return next(message for message in events if message["type"] == kind)


def test_a_stop_tells_readers_when_to_come_back_and_ends_at_once(house):
    with watch(house, "s1") as answer:
        events = messages(answer)
        assert next(events)["type"] == "joined"
        began = time.monotonic()
        house.process.send_signal(signal.SIGTERM)
        bye = until(events, "bye")
        assert (bye["code"], bye["reason"]) == (4000, "shutdown")
        assert 0 < bye["retry_after_ms"] <= 10_000
    assert house.process.wait(10) == 0
    assert time.monotonic() - began < 5


def test_a_reader_with_a_token_is_told_that_it_was_muted(house):
    boss, bob = house.token("Boss", "admin"), house.token("Bob")
    with watch(house, "s1", bob) as bobs, watch(house, "s1") as anyones:
        mine, others = messages(bobs), messages(anyones)
        assert next(mine)["type"] == next(others)["type"] == "joined"
        assert house.call("PUT", "/v1/streams/s1/bans/bob", {"seconds": 60}, boss)[0] in (200, 204)
        assert until(mine, "notice")["code"] == 111
        house.call("POST", "/v1/streams/s1/comments", {"text": "after"}, boss)
        seen = []
        for message in others:
            seen.append(message["type"])
            if message.get("comments"):
                break
        assert "notice" not in seen


def test_a_bad_token_is_refused_before_anything_is_sent(house):
    with pytest.raises(HTTPError) as fault:
        watch(house, "s1", "rubbish")
    assert fault.value.code == 401
