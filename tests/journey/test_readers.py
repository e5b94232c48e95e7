"""HTTP readers that do not read, and people who ask too much: what it costs, and when that ends."""

import itertools
import json
import signal
import socket
import time
from http.client import HTTPConnection

import pytest

from tests.journey.eyes import Eye
from tests.journey.sockets import all_of
from tests.journey.sockets import until as read_until
from tests.journey.tuned import Tuned, number, token_of, until

WIDE = "字" * 480
CAP = 3
NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    tuned = {"lag_close_s": "1", "connections_per_address": str(CAP), "trusted_proxies": "127.0.0.1", "request_s": "1"}
    with Tuned(tmp_path_factory.mktemp("data"), **tuned) as house:
        yield house


def reading(served, stream: str, address: str = "") -> socket.socket:
    """A reader of events behind a thin line, once it was answered."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.settimeout(10)
    line.connect(("127.0.0.1", served.port))
    invented = f"X-Forwarded-For: 7.7.7.{next(NUMBERS)}\r\n"  # by the reader; the proxy adds a line of its own
    forwarded = f"{invented}X-Forwarded-For: {address}\r\n" if address else ""
    line.sendall(f"GET /v1/streams/{stream}/live HTTP/1.1\r\nHost: a\r\n{forwarded}\r\n".encode())
    return line


def flood(served, stream: str, posts: int = 600) -> None:
    """Say more than sockets hold."""
    with Eye(served, stream) as writer:
        writer.auth(token_of(served, "boss", "admin", "importer"))
        for turn in range(0, posts, 20):
            for at in range(turn, turn + 20):
                writer.say("post", ref=f"r{at}", text=f"{at} {WIDE}")
            for _ in range(20):
                writer.next("ack")


def status(line: socket.socket) -> int:
    return int(read_until(line, b"\r\n\r\n").split()[1])


def test_who_reads_no_events_is_ended_and_others_go_on(served):
    before = number(served, "process_open_fds")
    deaf, other = reading(served, "s1"), reading(served, "s1")
    assert status(deaf) == status(other) == 200
    assert number(served, "process_open_fds") == before + 2
    other.setblocking(False)
    flood(served, "s1")
    until(lambda: _drained(other) and number(served, "process_open_fds") == before + 1)
    other.settimeout(10)
    assert other.recv(1 << 16)
    other.close()
    deaf.close()


def _drained(line: socket.socket) -> bool:
    """Read what is there."""
    try:
        while line.recv(1 << 20):
            pass
    except BlockingIOError:
        return True
    return False


def test_an_address_has_so_many_readers_and_not_one_more(served):
    lines = [reading(served, "s2", "8.8.8.8") for _ in range(CAP)]
    assert [status(line) for line in lines] == [200] * CAP
    one_more = reading(served, "s2", "8.8.8.8")
    answer = all_of(one_more)
    problem = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert (problem["status"], problem["code"], problem["retry_after_ms"]) == (429, 502, 10_000)
    assert b"Retry-After: 10\r\n" in answer
    assert number(served, "uproar_connections_refused_total") == 1
    assert status(reading(served, "s2", "8.8.4.4")) == 200
    for line in lines:
        line.close()
    until(lambda: status(reading(served, "s2", "8.8.8.8")) == 200)


def test_a_proxys_connections_are_nobodys_between_requests(served):
    lines = [HTTPConnection("127.0.0.1", served.port, timeout=10) for _ in range(CAP + 1)]
    for line in lines:
        line.request("GET", "/livez", headers={"X-Forwarded-For": "9.9.9.9"})
        answer = line.getresponse()
        answer.read()
        assert answer.status == 200
        assert not answer.will_close
    for line in lines:
        line.close()


def asked(served, path: str, body: object, token: str, times: int) -> list[tuple[int, dict]]:
    """The answers to so many calls, one right after the other."""
    line = HTTPConnection("127.0.0.1", served.port, timeout=10)
    head = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    answers = []
    for _ in range(times):
        line.request("POST", path, json.dumps(body), head)
        answer = line.getresponse()
        answers.append((answer.status, json.loads(answer.read() or b"{}")))
    line.close()
    return answers


@pytest.mark.parametrize("kind", ["likes", "reports", "reactions", "nobody's reactions"])
def test_who_asks_too_often_over_http_is_told_to_wait(served, kind):
    boss, token = token_of(served, "boss", "admin", "importer"), token_of(served, kind[:5])
    known = served.call("POST", "/v1/streams/s3/comments", {"text": kind}, boss)[1]["id"]
    calls = {
        "likes": ("likes", {"comment": known}, token),
        "reports": (f"comments/{known}/report", {"why": "so"}, token),
        "reactions": ("reactions", {"counts": {"❤": 1}}, token),
        "nobody's reactions": ("reactions", {"counts": {"❤": 1}}, ""),
    }
    path, body, token = calls[kind]
    began = time.monotonic()
    answers = asked(served, f"/v1/streams/s3/{path}", body, token, 100)
    most = (10 if "reactions" in kind else 20) * (int(time.monotonic() - began) + 1)
    taken = [answer for answer in answers if answer[0] == 204]
    assert 0 < len(taken) <= most
    refused = [problem for code, problem in answers if code == 503]
    assert len(taken) + len(refused) == 100
    assert refused
    assert {problem["code"] for problem in refused} == {502}
    assert all(0 < problem["retry_after_ms"] <= 1001 for problem in refused)


def test_the_admin_port_has_bounds_too(served):
    with socket.create_connection(("127.0.0.1", served.admin_port), 10) as half:
        half.sendall(b"GET /metrics HTTP/1.1\r\nHost:")
        assert half.recv(1) == b""
    with socket.create_connection(("127.0.0.1", served.admin_port), 10) as large:
        large.sendall(b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 200_000 + b"\r\n\r\n")
        assert all_of(large).startswith(b"HTTP/1.1 431")


def test_how_far_the_groups_are_behind_is_told_as_of_now(served):
    served.call("POST", "/v1/streams/s4/comments", {"text": "x"}, token_of(served, "boss", "admin", "importer"))
    until(lambda: number(served, "uproar_log_lag", group="persist") == 0)


def test_a_stop_waits_for_nobody_who_does_not_read(tmp_path):
    with Tuned(tmp_path, drain_s="1") as house:
        lines = [reading(house, "s") for _ in range(5)]
        assert [status(line) for line in lines] == [200] * 5
        flood(house, "s")
        began = time.monotonic()
        house.process.send_signal(signal.SIGTERM)
        assert house.process.wait(10) == 0
        assert time.monotonic() - began < 4


def test_a_stop_answers_whoever_waits_for_batches(tmp_path):
    with Tuned(tmp_path) as house:
        position = house.call("GET", "/v1/streams/s/frames?after=e.0")[1]["joined"]["position"]
        line = HTTPConnection("127.0.0.1", house.port, timeout=10)
        line.request("GET", f"/v1/streams/s/frames?after={position}")
        until(lambda: house.call("GET", "/v1/streams/s")[0] == 200)
        house.process.send_signal(signal.SIGTERM)
        answer = line.getresponse()
        assert (answer.status, json.loads(answer.read())) == (200, {"batches": []})
        assert house.process.wait(10) == 0
