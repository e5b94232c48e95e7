"""WebSocket frames, read however they were cut, and written."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uproar.wire.deflate import deflate_alone
from uproar.wire.websocket import (
    Code,
    Fail,
    Limits,
    Message,
    Op,
    Reader,
    close_code,
    close_frame,
    close_payload,
    frame,
    frame_header,
    masked_frame,
    text_frame,
    unmask,
)

MASK = b"\x01\x80\xff\x00"
DATA = st.binary(max_size=300)
CONTROL = st.tuples(st.sampled_from([Op.PING, Op.PONG, Op.CLOSE]), st.binary(max_size=125))
TEXTS = st.text(max_size=200).map(lambda text: (Op.TEXT, text.encode()))
MESSAGES = st.lists(st.one_of(TEXTS, st.tuples(st.just(Op.BINARY), DATA), CONTROL), max_size=8)


def part(op: Op, payload: bytes, *, fin: bool = True, rsv: int = 0) -> bytes:
    """A client's frame, whole or not."""
    whole = masked_frame(op, payload, MASK)
    return bytes([whole[0] & 0x7F | fin << 7 | rsv << 4]) + whole[1:]


def fed(reader: Reader, data: bytes, cuts: list[int]) -> list[Message | Fail]:
    """All that comes of the data, cut at these places."""
    places = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [one for at, to in pairwise(places) for one in reader.feed(data[at:to])]


@given(MESSAGES, st.lists(st.integers(0, 10_000)))
def test_any_slicing_gives_the_same_messages(messages, cuts):
    reader = Reader(Limits())
    data = b"".join(masked_frame(op, payload, MASK) for op, payload in messages)
    assert fed(reader, data, cuts) == [Message(op, payload) for op, payload in messages]
    assert reader.idle


@given(TEXTS, st.lists(st.integers(0, 10_000), max_size=20), st.lists(st.integers(0, 10_000)), st.booleans())
def test_any_fragments_are_one_message(message, places, cuts, deflated):
    """Text may be cut within a character; control frames between fragments come out at once."""
    op, text = message
    payload = deflate_alone(text) if deflated else text
    ends = [0, *sorted(place % (len(payload) + 1) for place in places), len(payload)]
    data = b"".join(
        part(
            op if not at else Op.CONTINUATION,
            payload[ends[at] : ends[at + 1]],
            fin=False,
            rsv=0 if at else 4 * deflated,
        )
        + masked_frame(Op.PING, b"p", MASK)
        for at in range(len(ends) - 1)
    )
    data += part(Op.CONTINUATION, b"")
    pings = [Message(Op.PING, b"p")] * (len(ends) - 1)
    assert fed(Reader(Limits(), deflate=deflated), data, cuts) == [*pings, Message(op, text)]


@given(st.binary(max_size=2000), st.lists(st.integers(0, 10_000), max_size=5), st.booleans())
def test_junk_never_raises_and_says_the_same_however_it_was_cut(junk, cuts, deflate):
    def until_fail(cuts):
        reader, said = Reader(Limits(), deflate=deflate), []
        places = [0, *sorted({cut % (len(junk) + 1) for cut in cuts}), len(junk)]
        for at, to in pairwise(places):
            said += reader.feed(junk[at:to])
            if said and isinstance(said[-1], Fail):
                break
        return said

    assert until_fail(cuts) == until_fail([])


@given(MESSAGES, st.lists(st.integers(0, 10_000)))
def test_a_client_reads_what_a_server_wrote(messages, cuts):
    reader = Reader(Limits(), from_client=False)
    data = b"".join(frame(op, payload) for op, payload in messages)
    assert fed(reader, data, cuts) == [Message(op, payload) for op, payload in messages]


@given(st.binary(max_size=1000), st.binary(min_size=4, max_size=4))
def test_unmasking_is_byte_by_byte_xor(data, mask):
    assert unmask(data, mask) == bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
    assert unmask(unmask(data, mask), mask) == data


@pytest.mark.parametrize(
    ("length", "header"),
    [
        (0, "8100"),
        (125, "817d"),
        (126, "817e007e"),
        (65535, "817effff"),
        (65536, "817f0000000000010000"),
    ],
)
def test_a_length_is_written_as_short_as_can_be(length, header):
    assert frame_header(length) == bytes.fromhex(header)


def test_a_compressed_frame_says_so():
    assert text_frame(b"abc", compressed=True) == b"\xc1\x03abc"
    assert frame(Op.BINARY, b"abc") == b"\x82\x03abc"
    assert frame_header(3, Op.PING, masked=True) == b"\x89\x83"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x01x", Code.PROTOCOL),
        (b"\x83\x80", Code.PROTOCOL),
        (b"\xc1\x80", Code.PROTOCOL),
        (b"\x89\xfe", Code.PROTOCOL),
        (b"\x09\x80", Code.PROTOCOL),
        (b"\x80\x80", Code.PROTOCOL),
        (b"\x81\xfe\x00\x7d", Code.PROTOCOL),
        (b"\x81\xff" + b"\x00" * 6 + b"\xff\xff", Code.PROTOCOL),
        (b"\x81\xff\x80" + b"\x00" * 7, Code.PROTOCOL),
        (b"\x81\xfe\x20\x01", Code.TOO_BIG),
        (b"\x81\xff\x00\x00\x00\x00\x00\x01\x00\x00", Code.TOO_BIG),
    ],
)
def test_a_wrong_header_fails_before_its_payload_has_come(data, code):
    [fail] = Reader(Limits()).feed(data)
    assert (type(fail), fail.code) == (Fail, code)


@pytest.mark.parametrize("data", [b"\xc0", b"\xed\xa0\x80", b"\xff", b"\xf4\x90"])
def test_text_fails_at_its_first_wrong_fragment(data):
    reader = Reader(Limits())
    assert reader.feed(part(Op.TEXT, "µ".encode()[:1], fin=False)) == []
    assert reader.feed(part(Op.CONTINUATION, "µ".encode()[1:], fin=False)) == []
    [fail] = reader.feed(part(Op.CONTINUATION, data, fin=False))
    assert fail.code == Code.NOT_READABLE


def test_what_came_before_a_fail_is_given_too():
    data = masked_frame(Op.TEXT, b"a", MASK) + b"\x83\x80"
    first, second = Reader(Limits()).feed(data)
    assert first == Message(Op.TEXT, b"a")
    assert second.code == Code.PROTOCOL


LIMITS = Limits(message_bytes=100, fragments=3, inflated_bytes=1000)


@pytest.mark.parametrize(
    ("parts", "fits"),
    [
        ([100], True),
        ([101], False),
        ([50, 50], True),
        ([50, 51], False),
        ([0, 0, 100], True),
        ([0, 0, 0, 1], False),
        ([0, 0, 0, 0], False),
    ],
)
def test_bounds_on_bytes_and_fragments(parts, fits):
    reader = Reader(LIMITS)
    data = b"".join(
        part(Op.CONTINUATION if at else Op.BINARY, b"x" * size, fin=at == len(parts) - 1)
        for at, size in enumerate(parts)
    )
    [one] = reader.feed(data)
    assert one == Message(Op.BINARY, b"x" * sum(parts)) if fits else one.code == Code.TOO_BIG


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (deflate_alone(b"x" * 1001), Code.TOO_BIG),
        (deflate_alone(b"x" * 10_000), Code.TOO_BIG),
        (b"\xff", Code.NOT_READABLE),
        (deflate_alone(b"\xff"), Code.NOT_READABLE),
    ],
)
def test_what_does_not_inflate_to_text_within_its_bound(payload, code):
    [fail] = Reader(LIMITS, deflate=True).feed(part(Op.TEXT, payload, rsv=4))
    assert fail.code == code


def test_a_bomb_is_never_inflated_beyond_its_bound():
    [fail] = Reader(Limits(), deflate=True).feed(part(Op.BINARY, deflate_alone(b"\x00" * (4 << 20)), rsv=4))
    assert fail.code == Code.TOO_BIG


def test_a_reader_is_idle_only_between_messages():
    reader = Reader(Limits())
    assert reader.idle
    for data, idle in [
        (b"\x01", False),
        (b"\x81" + MASK + unmask(b"a", MASK), False),
        (masked_frame(Op.PING, b"", MASK), False),
        (part(Op.CONTINUATION, b""), True),
    ]:
        reader.feed(data)
        assert reader.idle is idle


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", 1000),
        (b"\x03", 1002),
        (close_payload(1000), 1000),
        (close_payload(1001, "away"), 1001),
        (close_payload(4503), 4503),
        (close_payload(2999), 1002),
        (close_payload(5000), 1002),
        (close_payload(0), 1002),
        (close_payload(1004), 1002),
        (close_payload(1005), 1002),
        (close_payload(1006), 1002),
        (close_payload(1015), 1002),
        (close_payload(1000) + b"\xff", 1007),
    ],
)
def test_how_a_close_is_answered(payload, code):
    assert close_code(payload) == code


@given(st.text(max_size=200))
def test_a_close_fits_a_control_frame_and_its_reason_is_text(reason):
    [message] = Reader(Limits(), from_client=False).feed(close_frame(4000, reason))
    assert message.op is Op.CLOSE
    assert close_code(message.data) == 4000
    assert reason.startswith(message.data[2:].decode())
