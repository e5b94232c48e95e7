"""HTTP within bounds, over real sockets: what is too large or too slow ends, and nothing else does."""

import contextlib
import json
import time
from pathlib import Path

import pytest

from tests.journey.bounded_app import LARGE
from tests.journey.sockets import all_of, connect, serving, until

HEAD, BODY = 8 << 10, 64 << 10
REQUEST_S, LAG_S, SLACK_S = 1.0, 1.0, 8.0  # a busy machine may be late, and never early
CHUNK = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"


@pytest.fixture(scope="module")
def port():
    with serving(str(Path(__file__).with_name("bounded_app.py")), "PORT") as port:
        yield port


def get(path: str = "/", extra: bytes = b"") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: a\r\n".encode() + extra + b"\r\n"


def post(length: int, body: bytes = b"", path: str = "/") -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n".encode() + body


def chunked(*chunks: bytes, path: str = "/") -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + b"".join(chunks)


def answered(port: int, *pieces: bytes) -> bytes:
    """All that is answered to these pieces, sent one after the other, until the server ends."""
    with connect(port) as sock:
        for piece in pieces:
            sock.sendall(piece)
        return all_of(sock)


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


REFUSED: dict[str, tuple[tuple[bytes, ...], int]] = {
    "a head too large": ((get(extra=b"X: " + b"x" * HEAD + b"\r\n"),), 431),
    "a head of many headers": ((get(extra=b"X: y\r\n" * 2000),), 431),
    "a path too long": ((get("/" + "x" * HEAD),), 431),
    "a head that never ends": ((b"GET / HTTP/1.1\r\n", *[b"X: " + b"x" * 100 + b"\r\n"] * 100), 431),
    "a header that never ends": ((b"GET / HTTP/1.1\r\nX: ", *[b"x" * 1000] * 10), 431),
    "a path that never ends": ((b"GET /", *[b"x" * 1000] * 10), 431),
    "a megabyte of head": ((get(extra=b"X: " + b"x" * (1 << 20) + b"\r\n"),), 431),
    "a body said to be too large": ((post(BODY + 1),), 413),
    "a body said to be too large, and sent": ((post(4 << 20, b"x" * (4 << 20)),), 413),
    "a body said to be beyond all bounds": ((post(10**15),), 413),
    "a chunked body too large": ((chunked(*[CHUNK] * 4, b"1\r\nx\r\n0\r\n\r\n"),), 413),
    "a chunked body without end": ((chunked(CHUNK), *[CHUNK] * 100), 413),
    "a chunk said to be too large, and sent": ((chunked(b"400000\r\n" + b"x" * (4 << 20) + b"\r\n"),), 413),
    "what is no HTTP": ((b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",), 400),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_too_large_is_told_so_and_ended(port, case):
    pieces, expected = REFUSED[case]
    answer = answered(port, *pieces)
    problem = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert (status(answer), problem["status"], problem["code"]) == (expected, expected, 310)
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("case", ["a head too large", "a chunked body too large", "a body said to be too large"])
def test_the_requests_before_it_are_answered(port, case):
    pieces, expected = REFUSED[case]
    with connect(port) as sock:
        sock.sendall(post(3, b"abc"))
        assert until(sock, b"3 bytes").startswith(b"HTTP/1.1 200")
        sock.sendall(b"".join(pieces))
        assert status(all_of(sock)) == expected


def test_no_refusal_is_given_in_the_place_of_another_answer(port):
    answer = answered(port, get("/wait"), post(BODY + 1))
    assert b"413" not in answer


@pytest.mark.parametrize("behind", [b"no HTTP\r\n\r\n", get(extra=b"X: " + b"x" * HEAD + b"\r\n"), post(BODY + 1)])
def test_an_answer_under_way_is_given_and_is_the_last(port, behind):
    answer = answered(port, get("/wait") + behind + get())
    assert (status(answer), answer.endswith(b"0 bytes"), answer.count(b"HTTP/1.1 ")) == (200, True, 1)


def test_a_body_that_grows_too_large_behind_its_answer_cuts_it_off(port):
    with connect(port) as sock:
        sock.sendall(chunked(path="/eager"))
        until(sock, b"begun")
        sock.sendall(CHUNK * 6)
        assert all_of(sock) in (b"", b"\r\n")  # the part's own end, and no last part


@pytest.mark.parametrize("size", [0, 1, 1000, BODY - 1, BODY])
@pytest.mark.parametrize("pieces", [1, 7])
def test_a_body_within_its_bound_is_read(port, size, pieces):
    request = post(size, b"x" * size)
    cut = len(request) // pieces + 1
    with connect(port) as sock:
        for at in range(0, len(request), cut):
            sock.sendall(request[at : at + cut])
        assert until(sock, b" bytes").endswith(b"\r\n\r\n%d bytes" % size)


def test_a_head_cut_right_before_its_end_does_not_count_the_body(port):
    """The end of the head comes in pieces, the last of them with a body larger than a head may be."""
    request = post(BODY, b"x" * BODY)
    at = request.index(b"\r\n\r\n") + 3
    with connect(port) as sock:
        sock.sendall(request[:at])
        time.sleep(0.1)
        sock.sendall(request[at:])
        assert until(sock, b" bytes").endswith(b"\r\n\r\n%d bytes" % BODY)


def test_a_chunked_body_within_its_bound_is_read(port):
    with connect(port) as sock:
        sock.sendall(chunked(*[CHUNK] * 4, b"0\r\n\r\n"))
        assert until(sock, b" bytes").endswith(b"%d bytes" % BODY)


def test_a_head_of_almost_8_kib_is_read(port):
    with connect(port) as sock:
        sock.sendall(get(extra=b"X: " + b"x" * (HEAD - 100) + b"\r\n"))
        assert status(until(sock, b"0 bytes")) == 200


HALF: dict[str, bytes] = {
    "nothing": b"",
    "half a line": b"GET / HT",
    "half a head": b"GET / HTTP/1.1\r\nHost: a\r\n",
    "a head and no body": post(10),
    "half a body": post(10, b"x"),
    "half a chunk": chunked(b"5\r\nab"),
    "a request and half of another": post(1, b"x") + b"GET / HT",
}


@pytest.mark.parametrize("case", HALF)
def test_a_request_that_is_not_made_whole_is_ended(port, case):
    began = time.monotonic()
    answer = answered(port, HALF[case])
    assert REQUEST_S * 0.9 <= time.monotonic() - began < SLACK_S
    assert answer.count(b"HTTP/1.1") == case.count("and half")


TRICKLES: dict[str, tuple[bytes, bytes]] = {
    "a head": (b"GET / HTTP/1.1\r\n", b"X: y\r\n"),
    "a body": (post(1000), b"x"),
    "chunks": (chunked(), b"1\r\nx\r\n"),
    "empty lines": (b"", b"\r\n"),
    "empty lines after a request": (get(), b"\r\n"),
}


@pytest.mark.parametrize("case", TRICKLES)
def test_a_request_that_comes_drop_by_drop_is_ended(port, case):
    begin, drop = TRICKLES[case]
    began = time.monotonic()
    with connect(port) as sock:
        sock.sendall(begin)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while time.monotonic() - began < SLACK_S:
                sock.sendall(drop)
                time.sleep(0.1)
    assert REQUEST_S * 0.9 <= time.monotonic() - began < SLACK_S


def test_a_connection_carries_many_requests_over_a_long_time(port):
    """Longer than one request may take, and more bytes than one head may have."""
    began, count = time.monotonic(), 0
    with connect(port) as sock:
        while time.monotonic() - began < REQUEST_S * 1.5 or count < 200:
            sock.sendall(get(extra=b"X: " + b"x" * 500 + b"\r\n") if count % 2 else post(5, b"hello"))
            assert status(until(sock, b" bytes")) == 200
            count += 1


def test_a_connection_may_rest_between_requests(port):
    with connect(port) as sock:
        for _ in range(2):
            sock.sendall(get())
            assert status(until(sock, b" bytes")) == 200
            time.sleep(REQUEST_S * 1.5)


@pytest.mark.parametrize("count", [2, 50])
def test_pipelined_requests_are_answered_in_order(port, count):
    sent = b"".join(post(size, b"x" * size) for size in range(count))
    with connect(port) as sock:
        sock.sendall(sent)
        answers = until(sock, b"\r\n\r\n%d bytes" % (count - 1))
    sizes = [int(part.split(b"\r\n\r\n")[1].split()[0]) for part in answers.split(b"HTTP/1.1 200")[1:]]
    assert sizes == list(range(count))


def test_a_request_that_waits_behind_a_slow_one_is_answered(port):
    """Its body is not read meanwhile: that is our doing, not its."""
    with connect(port) as sock:
        sock.sendall(get("/deaf") + post(7))
        time.sleep(REQUEST_S * 1.2)
        sock.sendall(b"x" * 7)
        assert until(sock, b"7 bytes").count(b"HTTP/1.1 200") == 2


@pytest.mark.parametrize(("path", "end"), [("/stream", b"data: 4\n\n"), ("/wait", b"0 bytes")])
def test_an_answer_may_take_longer_than_a_request(port, path, end):
    with connect(port) as sock:
        sock.sendall(get(path))
        assert status(until(sock, end)) == 200


def test_a_large_answer_may_be_read_slowly(port):
    with connect(port) as sock:
        sock.sendall(get("/large"))
        read = 0
        while read < LARGE:
            part = sock.recv(1 << 20)
            assert part
            read += len(part)
            time.sleep(0.05 * len(part) / (1 << 19))


def test_an_answer_of_which_nothing_is_read_is_cut_off(port):
    with connect(port) as sock:
        sock.sendall(get("/large"))
        time.sleep(LAG_S + REQUEST_S)
        assert len(all_of(sock)) < LARGE
