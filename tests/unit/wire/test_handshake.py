"""The opening of a WebSocket and of its compression."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uproar.wire.handshake import Fault, Request, accept_key, negotiate, parse_head, switching, upgrade_fault

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
HEADERS = {"upgrade": "websocket", "connection": "Upgrade", "sec-websocket-version": "13", "sec-websocket-key": KEY}
GOOD = Request("GET", "/", {}, HEADERS)


def test_the_rfcs_key_gives_the_rfcs_answer():
    assert accept_key(KEY) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"GET / HTTP/1.1", Request("GET", "/", {}, {})),
        (b"GET /a/b?c=d&e= HTTP/1.1\r\nHost: h", Request("GET", "/a/b", {"c": "d", "e": ""}, {"host": "h"})),
        (b"GET /?a=%C3%A9+b HTTP/1.1", Request("GET", "/", {"a": "é b"}, {})),
        (b"GET /?a=%ff HTTP/1.1", Request("GET", "/", {"a": "�"}, {})),
        (b"GET /?a=1&a=2 HTTP/1.1", Request("GET", "/", {"a": "2"}, {})),
        (b"GET / HTTP/1.1\r\nX-A:  b \r\nx-a: c", Request("GET", "/", {}, {"x-a": "b,c"})),
        (b"GET / HTTP/1.1\r\nA: b:c\r\nD:", Request("GET", "/", {}, {"a": "b:c", "d": ""})),
        (b"GET / HTTP/1.1\r\nA: \xff", Request("GET", "/", {}, {"a": "ÿ"})),
        (b"", Fault),
        (b"GET /", Fault),
        (b"GET / HTTP/1.0", Fault),
        (b"GET / HTTP/2.0", Fault),
        (b"GET / / HTTP/1.1", Fault),
        (b"GET / HTTP/1.1\r\nno header", Fault),
    ],
)
def test_a_head_is_read(head, expected):
    read = parse_head(head)
    assert isinstance(read, Fault) if expected is Fault else read == expected


@given(st.binary(max_size=300))
def test_junk_is_a_fault_and_never_an_exception(junk):
    read = parse_head(junk)
    assert read.status == 400 if isinstance(read, Fault) else upgrade_fault(read) is not None


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, None),
        ({"upgrade": "WebSocket"}, None),
        ({"upgrade": "h2c, websocket"}, None),
        ({"connection": "keep-alive, UPGRADE"}, None),
        ({"upgrade": ""}, 400),
        ({"upgrade": "websockets"}, 400),
        ({"connection": "keep-alive"}, 400),
        ({"sec-websocket-version": "8"}, 426),
        ({"sec-websocket-version": "13,8"}, 426),
        ({"sec-websocket-version": ""}, 426),
        ({"sec-websocket-key": ""}, 400),
        ({"sec-websocket-key": KEY[:-1]}, 400),
        ({"sec-websocket-key": "A" * 24}, 400),
        ({"sec-websocket-key": f"{KEY},{KEY}"}, 400),
        ({"sec-websocket-key": "ÿ" * 24}, 400),
    ],
)
def test_what_keeps_a_request_from_upgrading(changes, status):
    fault = upgrade_fault(GOOD._replace(headers=HEADERS | changes))
    assert (fault and fault.status) == status


@pytest.mark.parametrize("method", ["POST", "get", "CONNECT"])
def test_only_get_upgrades(method):
    assert upgrade_fault(GOOD._replace(method=method)) is not None


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_that_is_missing_keeps_it_from_upgrading(name):
    headers = {other: value for other, value in HEADERS.items() if other != name}
    assert upgrade_fault(GOOD._replace(headers=headers)) is not None


def test_the_answer_names_what_was_agreed_on():
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    accept = b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
    assert switching(GOOD, "") == head + accept + b"\r\n"
    assert switching(GOOD, "x; y") == head + accept + b"Sec-WebSocket-Extensions: x; y\r\n\r\n"


MET = "permessage-deflate; client_no_context_takeover"
BOTH = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"


@pytest.mark.parametrize(
    ("offers", "answer"),
    [
        ("", ""),
        ("x-other", ""),
        ("permessage-deflate", MET),
        ("PerMessage-Deflate", MET),
        ("permessage-deflate; client_max_window_bits", MET),
        ("permessage-deflate;client_max_window_bits=8", MET),
        ('permessage-deflate; client_max_window_bits="12"', MET),
        ("permessage-deflate; client_no_context_takeover", MET),
        ("permessage-deflate; server_no_context_takeover", BOTH),
        ("permessage-deflate; server_no_context_takeover; client_no_context_takeover", BOTH),
        ("permessage-deflate; server_max_window_bits=15", f"{MET}; server_max_window_bits=15"),
        ("permessage-deflate; server_max_window_bits=14", ""),
        ("permessage-deflate; server_max_window_bits=8, permessage-deflate", MET),
        ("x-other; a=b, permessage-deflate", MET),
        ("permessage-deflate; server_max_window_bits", ""),
        ("permessage-deflate; server_max_window_bits=16", ""),
        ("permessage-deflate; client_max_window_bits=7", ""),
        ("permessage-deflate; client_max_window_bits=08", ""),
        ("permessage-deflate; client_max_window_bits=", ""),
        ("permessage-deflate; server_no_context_takeover=1", ""),
        ("permessage-deflate; client_max_window_bits; client_max_window_bits", ""),
        ("permessage-deflate; unknown", ""),
        ("permessage-deflate;", ""),
        (",,;;=,permessage-deflate; unknown, permessage-deflate", MET),
    ],
)
def test_the_first_offer_that_can_be_met_is_taken(offers, answer):
    assert negotiate(offers) == answer


FLAGS = st.sets(st.sampled_from(["server_no_context_takeover", "client_no_context_takeover", "client_max_window_bits"]))


@given(FLAGS, st.sampled_from([None, *range(8, 16)]))
def test_every_good_offer_is_answered_by_what_it_allows(flags, server_bits):
    params = [*flags, *([f"server_max_window_bits={server_bits}"] if server_bits else [])]
    answer = negotiate("; ".join(["permessage-deflate", *params])).split("; ")
    if server_bits not in (None, 15):
        assert answer == [""]
        return
    assert answer[0] == "permessage-deflate"
    assert "client_no_context_takeover" in answer
    assert ("server_no_context_takeover" in answer) == ("server_no_context_takeover" in flags)
    assert ("server_max_window_bits=15" in answer) == (server_bits == 15)


@given(st.text(max_size=200))
def test_any_offer_is_answered_or_declined(offers):
    assert negotiate(offers).partition(";")[0] in ("", "permessage-deflate")
