"""The WebSocket protocol (RFC 6455, RFC 7692) over real sockets, case by case; the echo server says what it heard."""

import json
import socket
import struct
import zlib
from typing import NamedTuple

import pytest
from websockets.sync.client import connect as websocket

from tests.journey.sockets import OPENING, all_of, connect, frames, masked, serving, until

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
SMALL, BIG = (8 << 10, 64), (16 << 20, 1 << 16)
GREETING = "κόσμε, Hello-µ@ßöäüàá-UTF-8!!".encode()


@pytest.fixture(scope="module")
def port():
    """Takes large messages."""
    with serving("-m", "uproar.bench.echo", "PORT", *map(str, BIG)) as port:
        yield port


@pytest.fixture(scope="module")
def small_port():
    """Takes what the gateway takes."""
    with serving("-m", "uproar.bench.echo", "PORT", *map(str, SMALL)) as port:
        yield port


class Heard(NamedTuple):
    """What the server said: (first byte, payload) of each frame before its close, then the close's code."""

    frames: list[tuple[int, bytes]]
    code: int | None


def talk(port: int, *sent: bytes, extensions: str = "", chop: int = 0) -> Heard:
    """Open, send, and hear the server out: in one piece for each of `sent`, or `chop` bytes at a time."""
    with opened(port, extensions) as sock:
        for piece in sent:
            for at in range(0, len(piece), chop or len(piece)):
                try:
                    sock.sendall(piece[at : at + (chop or len(piece))])
                except (BrokenPipeError, ConnectionResetError):
                    break
        return heard(all_of(sock))


def opened(port: int, extensions: str = "") -> socket.socket:
    """A connection after its upgrade."""
    sock = connect(port)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    extra = f"Sec-WebSocket-Extensions: {extensions}\r\n".encode() if extensions else b""
    sock.sendall(OPENING + extra + b"\r\n")
    head = until(sock, b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in head
    assert (b"Sec-WebSocket-Extensions: permessage-deflate" in head) == bool(extensions)
    return sock


def heard(data: bytes) -> Heard:
    """A conversation's second half, ended by a close."""
    *said, (first, payload) = frames(data)
    assert first == 0x80 | CLOSE, "the server ended without a close"
    assert CLOSE not in [first & 0x0F for first, _ in said]
    return Heard(said, struct.unpack(">H", payload[:2])[0] if payload else None)


def echoes(*said: tuple[int, bytes]) -> Heard:
    """These whole frames, then the answer to our close."""
    return Heard([(0x80 | op, payload) for op, payload in said], 1000)


BYE = masked(CLOSE, b"\x03\xe8")
SIZES = (0, 1, 125, 126, 127, 128, 65535, 65536)


@pytest.mark.parametrize("chop", [0, 997])
@pytest.mark.parametrize("op", [TEXT, BINARY])
@pytest.mark.parametrize("size", SIZES)
def test_a_message_of_any_size_comes_back(port, size, op, chop):
    payload = b"*" * size if op == TEXT else bytes(range(256)) * (size // 256) + bytes(size % 256)
    assert talk(port, masked(op, payload) + BYE, chop=chop) == echoes((op, payload))


@pytest.mark.parametrize("op", [TEXT, BINARY])
@pytest.mark.parametrize("size", [0, 1, 126, 300])
def test_a_message_comes_back_when_it_came_byte_by_byte(port, size, op):
    assert talk(port, masked(op, b"*" * size) + BYE, chop=1) == echoes((op, b"*" * size))


@pytest.mark.parametrize("op", [TEXT, BINARY])
@pytest.mark.parametrize("size", [1 << 20, 4 << 20, 16 << 20])
def test_a_large_message_comes_back(port, size, op):
    assert talk(port, masked(op, b"*" * size) + BYE) == echoes((op, b"*" * size))


@pytest.mark.parametrize("op", [TEXT, BINARY])
@pytest.mark.parametrize("size", [64, 256, 1024, 4096, 65536, 1 << 20])
def test_a_large_message_comes_back_whole_from_fragments(port, size, op):
    count = (1 << 20) // size if size >= 256 else 4096
    first, *rest = [b"*" * size] * count
    pieces = [masked(op, first, fin=not rest), *(masked(CONTINUATION, part, fin=False) for part in rest[:-1])]
    if rest:
        pieces.append(masked(CONTINUATION, rest[-1]))
    assert talk(port, b"".join(pieces) + BYE) == echoes((op, b"*" * size * count))


PINGS = [
    ("empty", [b""]),
    ("text", [b"Hello, world!"]),
    ("binary", [b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"]),
    ("the most", [b"\xfe" * 125]),
    ("ten", [b"payload-%d" % number for number in range(10)]),
]


@pytest.mark.parametrize("chop", [0, 1])
@pytest.mark.parametrize("payloads", [payloads for _, payloads in PINGS], ids=[name for name, _ in PINGS])
def test_a_ping_is_answered_with_its_payload(port, payloads, chop):
    sent = b"".join(masked(PING, payload) for payload in payloads)
    assert talk(port, sent + BYE, chop=chop) == echoes(*((PONG, payload) for payload in payloads))


@pytest.mark.parametrize("payload", [b"", b"unsolicited", b"\xff" * 125])
def test_a_pong_is_not_answered(port, payload):
    assert talk(port, masked(PONG, payload) + masked(PING, b"p") + BYE) == echoes((PONG, b"p"))


def test_pings_whose_pongs_are_not_read_do_not_pile_up(port):
    """Far more than socket buffers hold: the server leaves out pongs, and still reads."""
    with opened(port) as sock:
        block = masked(PING, b"x" * 125) * 1000
        for _ in range(200):
            sock.sendall(block)
        sock.sendall(BYE)
        said, code = heard(all_of(sock))
    assert code == 1000
    assert set(said) == {(0x80 | PONG, b"x" * 125)}


def fragments(*parts: tuple[int, bytes], last: bool = True) -> bytes:
    """Frames of which data ones are unfinished but for the last of all."""
    ends = len(parts) - 1 if last else len(parts)
    return b"".join(masked(op, part, fin=op >= CLOSE or at == ends) for at, (op, part) in enumerate(parts))


BROKEN: dict[str, tuple[bytes, list[tuple[int, bytes]]]] = {
    "a ping of 126 bytes": (masked(PING, b"x" * 126), []),
    "a ping of 126 bytes, chopped": (masked(PING, b"x" * 126), []),
    "a pong of 126 bytes": (masked(PONG, b"x" * 126), []),
    "a close of 126 bytes": (masked(CLOSE, b"\x03\xe8" + b"x" * 124), []),
    "a fragmented ping": (masked(PING, b"a", fin=False) + masked(CONTINUATION, b"b"), []),
    "a fragmented pong": (masked(PONG, b"a", fin=False), []),
    "a fragmented close": (masked(CLOSE, b"\x03\xe8", fin=False), []),
    **{f"reserved bits {rsv} in text": (masked(TEXT, b"x", rsv=rsv), []) for rsv in range(1, 8)},
    **{f"reserved bits {rsv} in binary": (masked(BINARY, b"x", rsv=rsv), []) for rsv in (1, 2, 4, 7)},
    **{f"reserved bits {rsv} in a ping": (masked(PING, b"x", rsv=rsv), []) for rsv in (1, 2, 4)},
    **{f"reserved bits {rsv} in a close": (masked(CLOSE, b"\x03\xe8", rsv=rsv), []) for rsv in (1, 2, 4)},
    "reserved bits in a continuation": (masked(TEXT, b"a", fin=False) + masked(CONTINUATION, b"b", rsv=4), []),
    "reserved bits after a message": (masked(TEXT, b"x") + masked(TEXT, b"y", rsv=2) + masked(PING), [(TEXT, b"x")]),
    **{f"opcode {op}, empty": (masked(op), []) for op in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    **{f"opcode {op}": (masked(TEXT, b"x") + masked(op, b"y") + masked(PING), [(TEXT, b"x")]) for op in (3, 7, 11, 15)},
    "a continuation of nothing": (masked(CONTINUATION, b"a") + masked(TEXT, b"x"), []),
    "an unfinished continuation of nothing": (masked(CONTINUATION, b"a", fin=False) + masked(TEXT, b"x"), []),
    "a continuation after a whole message": (masked(TEXT, b"x") + masked(CONTINUATION, b"y"), [(TEXT, b"x")]),
    "text within text": (fragments((TEXT, b"a"), (TEXT, b"b")), []),
    "binary within text": (fragments((TEXT, b"a"), (PING, b"p"), (BINARY, b"b")), [(PONG, b"p")]),
    "an unfinished text within text": (fragments((TEXT, b"a"), (TEXT, b"b"), last=False), []),
    "text without a mask": (b"\x81\x01x", []),
    "an empty ping without a mask": (b"\x89\x00", []),
    "a close without a mask": (b"\x88\x02\x03\xe8", []),
    "125 bytes in a length of two": (masked(TEXT, b"x" * 125, wide=2), []),
    "no bytes in a length of two": (masked(TEXT, b"", wide=2), []),
    "126 bytes in a length of eight": (masked(TEXT, b"x" * 126, wide=8), []),
    "65535 bytes in a length of eight": (masked(BINARY, b"x" * 65535, wide=8), []),
    "a length of 64 bits": (b"\x82\xff" + b"\xff" * 8 + b"\x00" * 4, []),
    "a ping with a length of two": (masked(PING, b"x", wide=2), []),
}


@pytest.mark.parametrize("chop", [0, 1])
@pytest.mark.parametrize("case", BROKEN)
def test_what_breaks_the_protocol_closes_with_1002_after_what_was_whole(port, case, chop):
    sent, before = BROKEN[case]
    if chop and len(sent) > 1000:
        chop = 101
    assert talk(port, sent, chop=chop) == Heard([(0x80 | op, payload) for op, payload in before], 1002)


FRAGMENTED: dict[str, tuple[bytes, list[tuple[int, bytes]]]] = {
    "two": (fragments((TEXT, b"a"), (0, b"b")), [(TEXT, b"ab")]),
    "two binary": (fragments((BINARY, b"\xff"), (0, b"\xfe")), [(BINARY, b"\xff\xfe")]),
    "a ping between": (fragments((TEXT, b"a"), (PING, b"p"), (0, b"b")), [(PONG, b"p"), (TEXT, b"ab")]),
    "a pong between": (fragments((TEXT, b"a"), (PONG, b"p"), (0, b"b")), [(TEXT, b"ab")]),
    "pings between five": (
        fragments((TEXT, b"1"), (0, b"2"), (PING, b"p"), (0, b"3"), (0, b"4"), (PING, b"q"), (0, b"5")),
        [(PONG, b"p"), (PONG, b"q"), (TEXT, b"12345")],
    ),
    "three empty": (fragments((TEXT, b""), (0, b""), (0, b"")), [(TEXT, b"")]),
    "empty but the middle": (fragments((TEXT, b""), (0, b"x"), (0, b"")), [(TEXT, b"x")]),
    "empty but the last": (fragments((BINARY, b""), (0, b""), (0, b"x")), [(BINARY, b"x")]),
    "two messages": (
        fragments((TEXT, b"a"), (0, b"b")) + fragments((BINARY, b"c"), (0, b"d")),
        [(1, b"ab"), (2, b"cd")],
    ),
}


@pytest.mark.parametrize("chop", [0, 1])
@pytest.mark.parametrize("case", FRAGMENTED)
def test_fragments_are_one_message_and_control_frames_pass_between(port, case, chop):
    sent, expected = FRAGMENTED[case]
    assert talk(port, sent + BYE, chop=chop) == echoes(*expected)


UTF8 = [
    b"",
    GREETING,
    "\u0000".encode(),
    "\u0080\u07ff\u0800\uffff".encode(),
    "\U00010000\U0010ffff".encode(),
    "\ud7ff\ue000\ufffd".encode(),
    "\ufffe\uffff\U0001fffe\U0010fffe".encode(),
    "\ufeffhello".encode(),
    "👩‍👩‍👧‍👦 नमस्ते 你好".encode(),
]
NOT_UTF8 = [
    b"\x80",
    b"\xbf",
    b"\xc0 ",
    b"\xc2",
    b"\xe0\x80",
    b"\xc0\xaf",  # overlong
    b"\xe0\x80\xaf",
    b"\xf0\x80\x80\xaf",
    b"\xc1\xbf",
    b"\xe0\x9f\xbf",
    b"\xf0\x8f\xbf\xbf",
    b"\xc0\x80",
    b"\xed\xa0\x80",  # surrogates
    b"\xed\xbf\xbf",
    b"\xed\xa0\x80\xed\xb0\x80",
    b"\xf4\x90\x80\x80",  # beyond Unicode
    b"\xf5\x80\x80\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\xfc\x84\x80\x80\x80\x80",
    b"\xfe",
    b"\xff",
    "κόσμε".encode() + b"\xed\xa0\x80edited",
    "κόσμε".encode()[:-1],
]


@pytest.mark.parametrize("split", ["whole", "fragments of a byte"])
@pytest.mark.parametrize("text", UTF8, ids=ascii)
def test_text_comes_back_however_it_was_split(port, text, split):
    assert talk(port, _split(text, split) + BYE) == echoes((TEXT, text))


@pytest.mark.parametrize("split", ["whole", "fragments of a byte"])
@pytest.mark.parametrize("text", NOT_UTF8, ids=ascii)
def test_text_that_is_not_utf_8_closes_with_1007(port, text, split):
    assert talk(port, _split(text, split) + masked(PING)) == Heard([], 1007)


@pytest.mark.parametrize("text", NOT_UTF8, ids=ascii)
def test_what_is_no_text_may_be_a_binary_message(port, text):
    assert talk(port, masked(BINARY, text) + BYE) == echoes((BINARY, text))


def _split(text: bytes, split: str) -> bytes:
    if split == "whole" or not text:
        return masked(TEXT, text)
    return fragments((TEXT, text[:1]), *((CONTINUATION, text[at : at + 1]) for at in range(1, len(text))), (0, b""))


@pytest.mark.parametrize(
    "text", [GREETING + b"\xf4\x90", GREETING + b"\xed\xa0\x80", GREETING + b"\xc0", GREETING + b"\xff"]
)
def test_wrong_text_fails_before_its_message_is_whole(port, text):
    """The last fragment is never sent."""
    assert talk(port, masked(TEXT, text, fin=False)) == Heard([], 1007)


CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999)
NO_CODES = (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)


@pytest.mark.parametrize("code", CODES)
def test_a_close_is_answered_with_its_code(port, code):
    assert talk(port, masked(CLOSE, struct.pack(">H", code) + b"why")) == Heard([], code)


@pytest.mark.parametrize("code", NO_CODES)
def test_a_code_that_may_not_be_sent_is_answered_with_1002(port, code):
    assert talk(port, masked(CLOSE, struct.pack(">H", code))) == Heard([], 1002)


CLOSES: dict[str, tuple[bytes, Heard]] = {
    "empty": (masked(CLOSE), Heard([], 1000)),
    "one byte": (masked(CLOSE, b"\x03"), Heard([], 1002)),
    "the longest reason": (masked(CLOSE, b"\x03\xe8" + b"*" * 123), Heard([], 1000)),
    "a reason in UTF-8": (masked(CLOSE, b"\x03\xe8" + "κόσμε".encode()), Heard([], 1000)),
    "a reason that is not UTF-8": (masked(CLOSE, b"\x03\xe8\xce\xba\xed\xa0\x80"), Heard([], 1007)),
    "text after it": (BYE + masked(TEXT, b"late"), Heard([], 1000)),
    "a ping after it": (BYE + masked(PING, b"late"), Heard([], 1000)),
    "a close after it": (BYE + masked(CLOSE, b"\x0f\xa0"), Heard([], 1000)),
    "much after it": (BYE + masked(BINARY, b"late") * 100_000, Heard([], 1000)),
    "what is no frame after it": (BYE + b"\xff" * 1000, Heard([], 1000)),
    "within a message": (masked(TEXT, b"a", fin=False) + BYE + masked(CONTINUATION, b"b"), Heard([], 1000)),
    "after a message": (masked(TEXT, b"a") + BYE, echoes((TEXT, b"a"))),
}


@pytest.mark.parametrize("case", CLOSES)
def test_a_close_is_the_last_that_is_heard(port, case):
    sent, expected = CLOSES[case]
    assert talk(port, sent) == expected


LIMITS: dict[str, tuple[bytes, bool]] = {
    "as many bytes as may be": (masked(BINARY, b"x" * 8192), True),
    "one byte more": (masked(BINARY, b"x" * 8193), False),
    "said to be larger, and not sent": (masked(BINARY, b"x" * 70_000)[:14], False),
    "one byte more in fragments": (fragments((TEXT, b"x" * 8192), (0, b"x")), False),
    "as many in fragments": (fragments((TEXT, b"x" * 8191), (0, b"x")), True),
    "as many fragments as may be": (fragments((TEXT, b"x"), *[(0, b"x")] * 63), True),
    "one fragment more": (fragments((TEXT, b"x"), *[(0, b"x")] * 64), False),
    "one empty fragment more": (fragments((TEXT, b""), *[(0, b"")] * 64), False),
    "megabytes": (masked(TEXT, b"x" * (4 << 20)), False),
}


@pytest.mark.parametrize("case", LIMITS)
def test_a_message_beyond_its_bounds_closes_with_1009(small_port, case):
    sent, fits = LIMITS[case]
    said, code = talk(small_port, sent + (BYE if fits else b""))
    assert (len(said), code) == ((1, 1000) if fits else (0, 1009))


# -- compression

RSV1 = 4
DEFLATE = "permessage-deflate"


def squeezed(data: bytes, level: int = 6, flush: int = zlib.Z_SYNC_FLUSH, bits: int = 15) -> bytes:
    """A message as a client deflates it."""
    deflater = zlib.compressobj(level, zlib.DEFLATED, -bits)
    return (deflater.compress(data) + deflater.flush(flush)).removesuffix(b"\x00\x00\xff\xff")


def inflated(said: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """The server's messages, each inflated by itself."""
    return [
        (first & 0x0F, zlib.decompressobj(-15).decompress(data + b"\x00\x00\xff\xff") if first & 0x40 else data)
        for first, data in said
    ]


COMPRESSED: dict[str, tuple[bytes, list[tuple[int, bytes]]]] = {
    "text": (masked(TEXT, squeezed(b"Hello"), rsv=RSV1), [(TEXT, b"Hello")]),
    "the RFC's example": (masked(TEXT, bytes.fromhex("f248cdc9c90700"), rsv=RSV1), [(TEXT, b"Hello")]),
    "the RFC's stored block": (masked(TEXT, bytes.fromhex("000500faff48656c6c6f00"), rsv=RSV1), [(TEXT, b"Hello")]),
    "the RFC's last block": (masked(TEXT, bytes.fromhex("f348cdc9c9070000"), rsv=RSV1), [(TEXT, b"Hello")]),
    "a last block and nothing behind": (masked(TEXT, bytes.fromhex("f348cdc9c90700"), rsv=RSV1), [(TEXT, b"Hello")]),
    "the RFC's two blocks": (masked(TEXT, bytes.fromhex("f248050000 00ffffcac9c90700"), rsv=RSV1), [(TEXT, b"Hello")]),
    "an empty message": (masked(TEXT, b"\x00", rsv=RSV1), [(TEXT, b"")]),
    "an empty payload": (masked(TEXT, b"", rsv=RSV1), [(TEXT, b"")]),
    "binary": (masked(BINARY, squeezed(bytes(range(256))), rsv=RSV1), [(BINARY, bytes(range(256)))]),
    "stored": (masked(BINARY, squeezed(b"x" * 500, level=0), rsv=RSV1), [(BINARY, b"x" * 500)]),
    "a small window": (masked(TEXT, squeezed(b"ab" * 5000, bits=9), rsv=RSV1), [(TEXT, b"ab" * 5000)]),
    "not compressed at all": (masked(TEXT, b"Hello"), [(TEXT, b"Hello")]),
    "one compressed, one not": (
        masked(TEXT, squeezed(b"a"), rsv=RSV1) + masked(TEXT, b"b") + masked(TEXT, squeezed(b"c"), rsv=RSV1),
        [(TEXT, b"a"), (TEXT, b"b"), (TEXT, b"c")],
    ),
    "fragments": (
        masked(TEXT, squeezed(b"Hello")[:3], fin=False, rsv=RSV1)
        + masked(PING, b"p")
        + masked(CONTINUATION, squeezed(b"Hello")[3:]),
        [(PONG, b"p"), (TEXT, b"Hello")],
    ),
    "UTF-8": (masked(TEXT, squeezed(GREETING), rsv=RSV1), [(TEXT, GREETING)]),
    "a megabyte": (masked(BINARY, squeezed(b"*" * (1 << 20)), rsv=RSV1), [(BINARY, b"*" * (1 << 20))]),
}


@pytest.mark.parametrize("chop", [0, 1])
@pytest.mark.parametrize("case", COMPRESSED)
def test_a_compressed_message_comes_back(port, case, chop):
    sent, expected = COMPRESSED[case]
    said, code = talk(port, sent + BYE, extensions=DEFLATE, chop=chop)
    assert (inflated(said), code) == (expected, 1000)


UNSQUEEZABLE: dict[str, tuple[bytes, int]] = {
    "no such kind of block": (masked(TEXT, b"\xff\xff\xff", rsv=RSV1), 1007),
    "cut off": (masked(TEXT, squeezed(bytes(range(256)))[:100], rsv=RSV1), 1007),
    "something behind a last block": (masked(TEXT, bytes.fromhex("f348cdc9c90700") + b"junk", rsv=RSV1), 1007),
    "a distance too far": (masked(TEXT, bytes.fromhex("4a4c4a060200"), rsv=RSV1), 1007),
    "text that is not UTF-8": (masked(TEXT, squeezed(b"\xff\xff"), rsv=RSV1), 1007),
    "a ping with the bit": (masked(PING, squeezed(b"x"), rsv=RSV1), 1002),
    "a close with the bit": (masked(CLOSE, squeezed(b"\x03\xe8"), rsv=RSV1), 1002),
    "a continuation with the bit": (
        masked(TEXT, squeezed(b"x"), fin=False, rsv=RSV1) + masked(CONTINUATION, b"", rsv=RSV1),
        1002,
    ),
    "the bits beside it": (masked(TEXT, squeezed(b"x"), rsv=6), 1002),
    "a bomb": (masked(BINARY, squeezed(b"\x00" * (7 << 20)), rsv=RSV1), 1009),
    "one byte too many": (masked(BINARY, squeezed(b"\x00" * 8193), rsv=RSV1), 1009),
}


@pytest.mark.parametrize("case", UNSQUEEZABLE)
def test_what_does_not_inflate_is_no_message(small_port, case):
    sent, code = UNSQUEEZABLE[case]
    assert talk(small_port, sent, extensions=DEFLATE) == Heard([], code)


@pytest.mark.parametrize("size", [0, 1, 126, 65536, 1 << 20])
@pytest.mark.parametrize(
    "offer",
    [
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate; client_max_window_bits=9",
        "permessage-deflate; server_max_window_bits=9, permessage-deflate",
        "x-unknown; a=1, permessage-deflate; server_max_window_bits=15",
    ],
)
def test_every_offer_that_can_be_met_works(port, offer, size):
    data = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    said, code = talk(port, masked(BINARY, squeezed(data, bits=9), rsv=RSV1) * 2 + BYE, extensions=offer)
    assert (inflated(said), code) == ([(BINARY, data)] * 2, 1000)


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_the_websockets_library_is_understood(port, compression):
    messages = ["", "hello", "x" * 100_000, b"", b"\x00\xff" * 70_000, "κόσμε" * 1000]
    with websocket(f"ws://127.0.0.1:{port}/a", compression=compression, max_size=None, open_timeout=10) as client:
        for message in messages:
            client.send(message)
            assert client.recv(10) == message
        client.send(["in ", "three ", "parts"])
        assert client.recv(10) == "in three parts"
        assert client.ping().wait(10)
    assert client.close_code == 1000


# -- the opening

LINES = OPENING.split(b"\r\n")[:-1]


def without(name: bytes, *instead: bytes) -> list[bytes]:
    """The opening's lines, one of them left out or replaced."""
    return [line for line in LINES if not line.lower().startswith(name.lower())] + list(instead)


FAULTS: dict[str, tuple[list[bytes], int]] = {
    "no version": (without(b"Sec-WebSocket-Version"), 426),
    "version 8": (without(b"Sec-WebSocket-Version", b"Sec-WebSocket-Version: 8"), 426),
    "two versions": ([*LINES, b"Sec-WebSocket-Version: 8"], 426),
    "no key": (without(b"Sec-WebSocket-Key"), 400),
    "an empty key": (without(b"Sec-WebSocket-Key", b"Sec-WebSocket-Key: "), 400),
    "a key of 15 bytes": (without(b"Sec-WebSocket-Key", b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA"), 400),
    "a key that is not base64": (without(b"Sec-WebSocket-Key", b"Sec-WebSocket-Key: ???????????????????????="), 400),
    "two keys": ([*LINES, b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="], 400),
    "POST": ([b"POST / HTTP/1.1", *LINES[1:]], 400),
    "HTTP/1.0": ([b"GET / HTTP/1.0", *LINES[1:]], 400),
    "no Upgrade": (without(b"Upgrade"), 426),
    "no Connection": (without(b"Connection"), 426),
    "a head beyond 8 KiB": ([*LINES, b"X: " + b"x" * 9000], 431),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_faulty_opening_is_refused_in_http(port, case):
    lines, status = FAULTS[case]
    with connect(port) as sock:
        sock.sendall(b"\r\n".join([*lines, b"", b""]))
        head, _, problem = all_of(sock).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"problem+json" not in head or json.loads(problem)["status"] == status
    if b"version" in case.encode():
        assert b"\r\nSec-WebSocket-Version: 13" in head


OPENINGS: dict[str, list[bytes]] = {
    "names in capitals": [LINES[0], *(line.upper() if b"Key" not in line else line for line in LINES[1:])],
    "several tokens": without(b"Connection", b"Connection: keep-alive, Upgrade"),
    "blank space": without(b"Sec-WebSocket-Version", b"Sec-WebSocket-Version:   13  "),
    "a foreign extension": [*LINES, b"Sec-WebSocket-Extensions: x-foreign; a=b"],
    "a subprotocol, which is not taken": [*LINES, b"Sec-WebSocket-Protocol: chat"],
}


@pytest.mark.parametrize("case", OPENINGS)
def test_an_opening_may_be_written_differently(port, case):
    with connect(port) as sock:
        sock.sendall(b"\r\n".join([*OPENINGS[case], b"", b""]))
        head, _, rest = until(sock, b"\r\n\r\n").partition(b"\r\n\r\n")
        sock.sendall(masked(TEXT, b"x") + BYE)
        assert heard(rest + all_of(sock)) == echoes((TEXT, b"x"))
    assert head.startswith(b"HTTP/1.1 101 ")
    assert b"sec-websocket-protocol" not in head.lower()
    assert b"sec-websocket-extensions" not in head.lower()


@pytest.mark.parametrize("at", [0, 1, 7, None])
def test_frames_behind_the_head_are_not_lost(port, at):
    """In the same segment as the head, or cut anywhere."""
    frames_sent = masked(TEXT, b"early") + masked(TEXT, b"bird") + BYE
    at = len(frames_sent) if at is None else at
    with connect(port) as sock:
        sock.sendall(OPENING + b"\r\n" + frames_sent[:at])
        _, _, rest = until(sock, b"\r\n\r\n").partition(b"\r\n\r\n")
        sock.sendall(frames_sent[at:])
        assert heard(rest + all_of(sock)) == echoes((TEXT, b"early"), (TEXT, b"bird"))


@pytest.mark.parametrize("size", [9000, 60_000])
def test_a_large_frame_behind_the_head_is_not_lost(port, size):
    with connect(port) as sock:
        sock.sendall(OPENING + b"\r\n" + masked(TEXT, b"x" * size) + BYE)
        _, _, rest = until(sock, b"\r\n\r\n").partition(b"\r\n\r\n")
        assert heard(rest + all_of(sock)) == echoes((TEXT, b"x" * size))


def test_an_opening_that_comes_byte_by_byte_is_one(port):
    with connect(port) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in OPENING + b"\r\n" + masked(TEXT, b"x") + BYE:
            sock.sendall(bytes([byte]))
        _, _, rest = until(sock, b"\r\n\r\n").partition(b"\r\n\r\n")
        assert heard(rest + all_of(sock)) == echoes((TEXT, b"x"))


def test_an_upgrade_may_follow_other_requests(port):
    with connect(port) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert until(sock, b"\r\n\r\n").startswith(b"HTTP/1.1 426 ")
        sock.sendall(OPENING + b"\r\n")
        assert until(sock, b"\r\n\r\n").startswith(b"HTTP/1.1 101 ")
        sock.sendall(masked(TEXT, b"x") + BYE)
        assert heard(all_of(sock)) == echoes((TEXT, b"x"))


def test_a_client_that_vanishes_harms_nobody(port):
    for sent in (b"", masked(TEXT, b"half")[:3], masked(TEXT, b"x", fin=False)):
        sock = opened(port)
        sock.sendall(sent)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
    assert talk(port, masked(TEXT, b"still here") + BYE) == echoes((TEXT, b"still here"))
