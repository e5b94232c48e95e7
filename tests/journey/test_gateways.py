"""Viewers served by processes beside the one that has the port: the same streams to the letter, also when one dies."""

import os
import signal
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.protocol import State

from tests.journey.eyes import Eye
from tests.journey.sockets import connect, masked, until
from tests.journey.tuned import Tuned, number, token_of
from tests.journey.tuned import until as true_at_last

STREAM = "s"
SEATS = 6
BACK_WITHIN_S = 5.0
OPENING = (
    b"GET /v1/streams/s/live HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def gateways(served):
    """The processes that serve viewers."""
    main = served.process.pid
    return [int(child) for child in Path(f"/proc/{main}/task/{main}/children").read_text().split()]


def is_alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.fixture
def served(tmp_path):
    seats = {"connections_per_address": str(SEATS), "trusted_proxies": "127.0.0.1"}
    house = Tuned(tmp_path, gateways="2", drain_s="2", **seats)
    with house:
        house.call("PUT", f"/v1/streams/{STREAM}", {"rules": {"show": "all"}}, token_of(house, "boss", "admin"))
        yield house


@pytest.fixture
def eyes(served):
    """Six viewers, three on each gateway."""
    with ExitStack() as held:
        eyes = [held.enter_context(Eye(served, STREAM, plain=at % 2 == 0)) for at in range(6)]
        assert number(served, "uproar_gateways") == len(gateways(served)) == 2
        yield eyes


def numbers(eye):
    return [int(message["position"].split(".")[1]) for message in eye.seen if message["type"] == "batch"]


def test_all_viewers_see_the_same_in_order_wherever_they_are(served, eyes):
    true_at_last(lambda: number(served, "uproar_streams") == 2)  # the stream has viewers in both
    true_at_last(lambda: number(served, "uproar_viewers") == 6)
    for eye in eyes:
        eye.auth(token_of(served, f"user{eyes.index(eye)}", "importer"))
    for turn in range(20):
        writer = eyes[turn % len(eyes)]
        assert writer.post(f"r{turn}", f"comment {turn}")["type"] == "ack"
    for eye in eyes:
        if not any(one["text"] == "comment 19" for m in eye.seen for one in m.get("comments", ())):
            eye.sees("comment 19")
        batches = [message for message in eye.seen if message["type"] == "batch"]
        assert [one["text"] for batch in batches for one in batch.get("comments", ())] == [
            f"comment {turn}" for turn in range(20)
        ]
        assert numbers(eye) == list(range(numbers(eye)[0], numbers(eye)[0] + len(batches)))
    assert number(served, "uproar_posts_total", outcome="ok") == 20


def test_a_position_of_one_gateway_resumes_at_the_other(served, eyes):
    position = eyes[0].joined["position"]
    boss = token_of(served, "boss", "admin", "importer")
    for turn in range(3):
        served.call("POST", f"/v1/streams/{STREAM}/comments", {"text": f"c{turn}"}, boss)
        eyes[0].sees(f"c{turn}")
    for _ in range(2):  # two in a row come to both
        with Eye(served, STREAM, f"?position={position}") as again:
            assert again.joined["recovered"] is True
            again.sees("c2")
            assert numbers(again) == numbers(eyes[0])


def test_reactions_of_both_are_added_up_and_a_removal_is_gone_from_both(served, eyes):
    boss = token_of(served, "boss", "admin", "importer")
    for eye in eyes:
        eye.say("react", counts={"🔥": 5})
    for eye in eyes:
        eye.until(lambda m: m["type"] == "batch" and m.get("reactions", {}).get("🔥") == 30)
    _, comment = served.call("POST", f"/v1/streams/{STREAM}/comments", {"text": "soon gone"}, boss)
    for eye in eyes:
        assert eye.sees("soon gone")["id"] == comment["id"]
    assert served.call("DELETE", f"/v1/streams/{STREAM}/comments/{comment['id']}", None, boss)[0] < 300
    for eye in eyes:
        assert comment["id"] in eye.batch("removed")["removed"]
    for _ in range(2):
        with Eye(served, STREAM, "?history=10") as fresh:
            assert comment["id"] not in [one["id"] for one in fresh.joined["comments"]]


def test_what_comes_right_behind_the_head_is_heard_first_and_all_of_it(served):
    token = token_of(served, "ann", "importer")
    said = [b'{"op":"auth","token":"%s"}' % token.encode()]
    said += [b'{"op":"post","ref":"r%d","text":"early %d"}' % (at, at) for at in range(50)]
    with connect(served.port) as ann:
        ann.sendall(OPENING + b"".join(masked(1, one) for one in said[:25]))
        ann.sendall(b"".join(masked(1, one) for one in said[25:]))
        heard = until(ann, b"early 49")
        assert heard.startswith(b"HTTP/1.1 101 ")
        assert heard.index(b'"welcome"') < heard.index(b'"early 0"')
    true_at_last(lambda: len(served.call("GET", f"/v1/streams/{STREAM}/comments?limit=200")[1]["comments"]) == 50)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v1/streams/-/x/live", 404), ("/v1/streams/s/live?history=x", 400), ("/v1/streams/ /live", 400)],
)
def test_whoever_is_not_let_in_is_answered_at_the_port(served, path, status):
    with connect(served.port) as sock:
        sock.sendall(OPENING.replace(b"/v1/streams/s/live", path.encode()))
        assert until(sock, b"\r\n").startswith(b"HTTP/1.1 %d " % status)


class Watcher(threading.Thread):
    """Watches, and comes back with its position whenever it is cut off, until it saw the last comment."""

    def __init__(self, served, address):
        super().__init__()
        self.served, self.headers = served, {"X-Forwarded-For": address}
        self.position, self.texts, self.returns, self.recovered = "", [], 0, []
        self.there = threading.Event()

    def run(self):
        while "the end" not in self.texts:
            try:
                self.watch()
            except (ConnectionClosed, InvalidStatus, OSError, EOFError, TimeoutError):
                self.returns += 1
                time.sleep(0.05)

    def watch(self):
        query = f"?position={self.position}" if self.position else "?history=0"
        with Eye(self.served, STREAM, query, additional_headers=self.headers) as eye:
            if self.position:
                self.recovered.append(eye.joined["recovered"])
            self.position = eye.joined["position"]
            self.there.set()
            while "the end" not in self.texts:
                message = eye.until(lambda m: m["type"] == "batch")
                self.position = message["position"]
                self.texts += [one["text"] for one in message.get("comments", ())]


def test_a_gateway_killed_under_load_is_replaced_and_nobody_misses_anything(served):
    watchers = [Watcher(served, f"9.9.9.{at % 2}") for at in range(2 * SEATS)]  # all seats of two addresses
    for watcher in watchers:
        watcher.start()
    for watcher in watchers:
        assert watcher.there.wait(10)
    boss = token_of(served, "boss", "importer")
    posted = []
    for turn in range(60):
        if turn in (15, 30):
            os.kill(gateways(served)[turn // 30], signal.SIGKILL)
        posted.append(f"comment {turn}")
        assert served.call("POST", f"/v1/streams/{STREAM}/comments", {"text": posted[-1]}, boss)[0] == 201
        time.sleep(0.03)
    true_at_last(lambda: number(served, "uproar_gateways") == 2, BACK_WITHIN_S)
    assert served.call("POST", f"/v1/streams/{STREAM}/comments", {"text": "the end"}, boss)[0] == 201
    for watcher in watchers:
        watcher.join(15)
        assert watcher.texts == [*posted, "the end"]
        assert all(watcher.recovered)
    assert sum(watcher.returns > 0 for watcher in watchers) >= SEATS  # who was cut off took the freed seats again


def test_seats_are_freed_when_viewers_leave_and_when_their_gateway_dies(served):
    def come():
        return Eye(served, STREAM, additional_headers={"X-Forwarded-For": "8.8.8.8"})

    first = [come() for _ in range(SEATS)]
    with pytest.raises(InvalidStatus) as full:
        come()
    assert full.value.response.status_code == 429
    for pid in gateways(served):
        os.kill(pid, signal.SIGKILL)
    for eye in first:
        eye.closed()
    true_at_last(lambda: number(served, "uproar_gateways") == 2, BACK_WITHIN_S)
    second = [come() for _ in range(SEATS)]
    second.pop().close()
    true_at_last(lambda: number(served, "uproar_viewers") == SEATS - 1)
    second.append(come())
    for eye in second:
        eye.close()


def test_a_gateway_that_is_asked_to_stop_says_bye_and_is_replaced(served, eyes):
    os.kill(gateways(served)[0], signal.SIGTERM)
    true_at_last(lambda: sum(eye.socket.protocol.state is State.CLOSED for eye in eyes) == 3)
    for eye in eyes:
        if eye.socket.protocol.state is State.CLOSED:
            assert (eye.closed(), eye.seen[-1]["reason"]) == (4000, "shutdown")
    true_at_last(lambda: number(served, "uproar_gateways") == 2, BACK_WITHIN_S)


def test_whoever_comes_while_a_gateway_empties_itself_goes_elsewhere_and_stays(served, eyes):
    boss = token_of(served, "boss", "importer")
    opening = OPENING.replace(b"Host: here", b"Host: here\r\nX-Forwarded-For: 7.7.7.7")
    with ExitStack() as held:
        for _ in range(2):  # one on each gateway, who do not go when they are told to
            lingering = held.enter_context(connect(served.port))
            lingering.sendall(opening)
            until(lingering, b'"joined"')
        leaving = gateways(served)[0]
        os.kill(leaving, signal.SIGTERM)
        true_at_last(lambda: sum(eye.socket.protocol.state is State.CLOSED for eye in eyes) == 3)
        coming = [
            held.enter_context(Eye(served, STREAM, additional_headers={"X-Forwarded-For": "6.6.6.6"}))
            for _ in range(SEATS)
        ]
        assert is_alive(leaving)
        true_at_last(lambda: number(served, "uproar_gateways") == 2, BACK_WITHIN_S)
        assert is_alive(leaving)
        true_at_last(lambda: not is_alive(leaving), 10)
        assert served.call("POST", f"/v1/streams/{STREAM}/comments", {"text": "still here"}, boss)[0] == 201
        for eye in coming:
            eye.sees("still here")


def test_a_gateway_that_hangs_is_replaced_and_holds_nobody_else_up(served, eyes):
    boss = token_of(served, "boss", "importer")
    stuck = gateways(served)[0]
    os.kill(stuck, signal.SIGSTOP)
    assert served.call("POST", f"/v1/streams/{STREAM}/comments", {"text": "meanwhile"}, boss)[0] == 201
    seen = [eye for eye in eyes if _sees(eye, "meanwhile")]
    assert len(seen) == 3
    true_at_last(lambda: not is_alive(stuck), 15)
    true_at_last(lambda: number(served, "uproar_gateways") == 2, BACK_WITHIN_S)


def _sees(eye, text):
    try:
        return bool(eye.until(lambda m: any(one["text"] == text for one in m.get("comments", ())), 1))
    except TimeoutError:
        return False


def test_all_of_it_stops_in_order(served, eyes):
    pids = gateways(served)
    served.process.send_signal(signal.SIGTERM)
    assert [eye.closed() for eye in eyes] == [4000] * 6
    waits = sorted(eye.seen[-1]["retry_after_ms"] for eye in eyes)
    assert waits == [666, 666, 1333, 1333, 2000, 2000]
    assert served.process.wait(10) == 0
    assert [pid for pid in pids if is_alive(pid)] == []


def test_an_interrupt_of_the_terminal_stops_all_in_order(tmp_path):
    class Terminal(Tuned):
        def command(self):
            return ["setsid", *super().command()]

    served = Terminal(tmp_path, gateways="2").start()
    try:
        with Eye(served, STREAM) as one, Eye(served, STREAM) as two:
            os.killpg(served.process.pid, signal.SIGINT)
            assert [one.closed(), two.closed()] == [4000, 4000]
        assert served.process.wait(10) == 0
    finally:
        served.stop()


def test_gateways_end_with_the_process_that_has_the_port(served, eyes):
    pids = gateways(served)
    os.kill(pids[0], signal.SIGSTOP)  # one that hangs too
    served.kill()
    true_at_last(lambda: not any(map(is_alive, pids)), 1.0)
