"""The catalogue of refusals is the protocol's, to the number and the letter."""

import pytest

from uproar.core.refusal import Refusal, Refused

CATALOGUE = [
    (101, "not_signed_in", True, 401),
    (102, "bad_token", True, 401),
    (103, "not_allowed", False, 403),
    (110, "banned", False, 403),
    (111, "timed_out", True, 403),
    (112, "too_new", True, 403),
    (120, "too_fast", True, 429),
    (121, "too_fast_everywhere", True, 429),
    (122, "slow_mode", True, 429),
    (201, "empty", False, 422),
    (202, "too_long", False, 422),
    (203, "unprintable", False, 422),
    (210, "language", False, 422),
    (211, "repeated", False, 422),
    (212, "link", False, 422),
    (213, "emoji_only", False, 422),
    (301, "no_such_stream", False, 404),
    (302, "stream_ended", False, 409),
    (303, "no_such_comment", False, 404),
    (310, "bad_message", False, 400),
    (501, "unavailable", True, 503),
    (502, "overloaded", True, 503),
    (503, "unconfirmed", True, 503),
]


def test_the_catalogue_is_the_protocols():
    assert [(r.code, r.reason, r.again, r.status) for r in Refusal] == CATALOGUE


@pytest.mark.parametrize("refusal", Refusal, ids=lambda refusal: refusal.reason)
def test_every_refusal_is_worded_as_a_sentence_of_its_own(refusal):
    assert refusal.message[0].isupper()
    assert refusal.message.endswith(".")
    assert [other for other in Refusal if other.message == refusal.message] == [refusal]


def test_a_detail_is_shown_instead_of_the_general_words():
    assert Refused(Refusal.BAD_MESSAGE, detail="The field `txt` is unknown.").message == "The field `txt` is unknown."
    assert Refused(Refusal.BAD_MESSAGE).message == Refusal.BAD_MESSAGE.message
