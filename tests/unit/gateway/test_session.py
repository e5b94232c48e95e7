"""What one viewer says, and how it is paced."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uproar.auth import IMPORTER, Identity
from uproar.core.refusal import Refusal, Refused
from uproar.gateway.session import BAD_MESSAGES, MESSAGES_PER_S, REACTS_PER_S, Pace, Session, refused
from uproar.wire.closes import Close
from uproar.wire.frames import UNSET, Auth, Like, Post, React, RefusedMessage, Report

POST = b'{"op": "post", "ref": "r1", "text": "hello"}'
REACT = '{"op": "react", "counts": {"❤": 3}}'.encode()
BAD = b'{"op": "post", "ref": "r1"}'


@pytest.mark.parametrize(
    ("data", "op"),
    [
        (POST, Post("r1", "hello")),
        (b'{"op": "post", "ref": "r1", "text": "hi", "reply_to": "12"}', Post("r1", "hi", "12")),
        (b'{"op": "auth", "token": "t"}', Auth("t")),
        (REACT, React({"❤": 3})),
        (b'{"op": "like", "comment": "7"}', Like("7")),
        (b'{"op": "like", "comment": "7", "on": false}', Like("7", False)),
        (b'{"op": "report", "ref": "r", "comment": "7", "why": "w"}', Report("r", "7", "w")),
    ],
)
def test_the_protocol_is_read(data, op):
    assert Session().read(data, 0.0) == op


@pytest.mark.parametrize(
    ("data", "ref"),
    [
        (b"", UNSET),
        (b"{", UNSET),
        (b"null", UNSET),
        (b"[" * 5000, UNSET),
        (b"\xff", UNSET),
        (b"{}", UNSET),
        (b'{"op": "shout"}', UNSET),
        (BAD, "r1"),
        (b'{"op": "post", "ref": "r1", "text": "x", "more": 1}', "r1"),
        (b'{"op": "post", "ref": "", "text": "x"}', UNSET),
        (b'{"op": "post", "ref": 5, "text": "x"}', UNSET),
        (json.dumps({"op": "post", "ref": "r" * 65, "text": "x"}).encode(), UNSET),
        (b'{"op": "react", "counts": {"a": 51}}', UNSET),
        (b'{"op": "react", "counts": {"a": 0}}', UNSET),
    ],
)
def test_what_is_not_the_protocol_is_refused_with_310(data, ref):
    answer = Session().read(data, 0.0)
    assert isinstance(answer, RefusedMessage)
    assert (answer.code, answer.ref, answer.again) == (Refusal.BAD_MESSAGE.code, ref, False)


@given(st.binary(max_size=200))
def test_junk_never_raises(data):
    assert Session().read(data, 0.0) is not Close.BAD_MESSAGE


def test_the_21st_bad_message_closes():
    session = Session()
    answers = [session.read(BAD, float(second)) for second in range(BAD_MESSAGES + 1)]
    assert {type(answer) for answer in answers[:-1]} == {RefusedMessage}
    assert answers[-1] is Close.BAD_MESSAGE


def test_good_messages_between_forgive_no_bad_ones():
    session = Session()
    answers = [session.read(BAD if at % 2 else POST, float(at)) for at in range(2 * BAD_MESSAGES + 2)]
    assert answers[-1] is Close.BAD_MESSAGE


def test_more_than_20_messages_in_a_second_are_refused_with_502_and_keep_their_text():
    session = Session()
    answers = [session.read(POST, 0.5) for _ in range(MESSAGES_PER_S + 1)]
    assert answers[:-1] == [Post("r1", "hello")] * MESSAGES_PER_S
    assert answers[-1] == refused(Refused(Refusal.OVERLOADED, 1000), Post("r1", "hello"))
    assert (answers[-1].code, answers[-1].ref, answers[-1].text) == (Refusal.OVERLOADED.code, "r1", "hello")
    assert session.read(POST, 1.5) == Post("r1", "hello")


def test_a_flood_of_bad_messages_is_paced_before_it_is_judged():
    session = Session()
    codes = [session.read(BAD, 0.0).code for _ in range(MESSAGES_PER_S + 5)]
    assert codes == [Refusal.BAD_MESSAGE.code] * MESSAGES_PER_S + [Refusal.OVERLOADED.code] * 5


def test_reactions_have_a_pace_of_their_own():
    session = Session()
    assert [session.read(REACT, 0.0) is None for _ in range(REACTS_PER_S + 2)] == [False] * REACTS_PER_S + [True] * 2
    assert all(session.read(POST, 0.0) == Post("r1", "hello") for _ in range(MESSAGES_PER_S))
    assert session.read(REACT, 1.0) == React({"❤": 3})


@pytest.mark.parametrize(("roles", "read"), [((IMPORTER,), 100), (("moderator",), MESSAGES_PER_S)])
def test_importers_have_no_pace(roles, read):
    session = Session()
    session.identity = Identity("i", "I", 1 << 40, roles)
    assert sum(session.read(POST, 0.0) == Post("r1", "hello") for _ in range(100)) == read


@given(st.integers(1, 20), st.lists(st.floats(0, 5), max_size=200))
def test_a_pace_holds_in_every_second(limit, times):
    pace = Pace(limit)
    allowed = [now for now in sorted(times) if pace.allows(now)]
    for begin in allowed:
        assert sum(begin <= now < begin + 1.0 - 1e-9 for now in allowed) <= limit


@given(st.integers(1, 5), st.lists(st.floats(0, 3), max_size=50))
def test_a_pace_refuses_only_where_the_second_is_full(limit, times):
    pace, allowed = Pace(limit), []
    for now in sorted(times):
        recent = sum(now - before < 1.0 for before in allowed)
        assert pace.allows(now) == (recent < limit)
        if recent < limit:
            allowed.append(now)
