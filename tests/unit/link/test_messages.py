"""What goes over a link comes out as it went in, in whatever pieces it travels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack

from uproar.core.errors import Overloaded, Unavailable, Unconfirmed
from uproar.link.messages import LONGEST_BYTES, Answer, Failure, Note, Question, Reader, body, failed, raised, written

parts = st.tuples(st.text(max_size=20), st.binary(max_size=300))
messages = st.one_of(
    st.builds(lambda name, told: Note(name, body(told)), st.text(max_size=9), parts),
    st.builds(lambda number, told: Question(number, "q", body(told)), st.integers(0, 2**63), parts),
    st.builds(lambda number, told: Answer(number, body(told)), st.integers(0, 2**63), parts),
    st.builds(Failure, st.integers(0, 9), st.sampled_from(["overloaded"]), st.text(), st.integers(0, 9)),
)


@given(st.lists(messages, max_size=8), st.lists(st.integers(0, 3000)))
def test_messages_come_out_as_they_went_in_whatever_the_pieces(sent, cuts):
    data = b"".join(map(written, sent))
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    reader = Reader()
    pieces = (data[start:end] for start, end in zip(edges, edges[1:], strict=False))
    assert [one for piece in pieces for one in reader.feed(piece)] == sent


def test_bodies_are_read_later_by_who_knows_their_shape():
    (note,) = Reader().feed(written(Note("frame", body(("s", 7)))))
    assert msgpack.decode(note.body, type=tuple[str, int]) == ("s", 7)


def test_what_says_it_is_too_long_is_no_message():
    with pytest.raises(ValueError, match="no message"):
        list(Reader().feed((LONGEST_BYTES + 1).to_bytes(4, "big")))


@pytest.mark.parametrize("family", [Unavailable, Overloaded, Unconfirmed])
def test_an_outage_is_the_same_outage_on_the_other_side(family):
    there = raised(failed(7, family("no disk", 1234)))
    assert (type(there), str(there), there.retry_after_ms) == (family, "no disk", 1234)


def test_an_outage_of_another_family_is_an_outage():
    class Odd(Unavailable):
        """Known to one side alone."""

    assert type(raised(failed(7, Odd("?")))) is Unavailable
