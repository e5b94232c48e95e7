"""What a chat weighs on the wire."""

import zlib

import pytest

from uproar.bench.weigh import FRAME_COMMENTS, Weight, verdicts_of, weigh

CHAT = [(at * 40, f"u{at % 7}", f"goal number {at}, what a match") for at in range(500)]


def test_windows_gather_what_comes_within_them():
    assert weigh(CHAT, 100, (), 6).frames == 167  # three each
    assert weigh(CHAT, 1, (), 6).comments_a_frame == 1
    assert weigh(CHAT, 1_000_000, (), 6).comments_a_frame == FRAME_COMMENTS


def test_a_frame_alone_weighs_less_than_plain_and_chained_the_less_the_seldomer_it_starts():
    weight = weigh(CHAT, 100, (1, 10, 200), 6)
    assert weight.chained[1] == weight.alone < weight.plain
    assert weight.chained[200] < weight.chained[10] < weight.alone / 2


def test_nothing_is_left_out_of_the_count():
    one = weigh(CHAT[:1], 100, (1,), 0)
    stored = len(zlib.compress(b"x" * 150, 0)) - len(zlib.compress(b"", 0)) - 150
    assert one.plain < one.alone <= one.plain + stored + 12
    assert one.comments == one.frames == 1


@pytest.mark.parametrize(
    ("alone", "plain", "words"),
    [
        (190, 300, ["met", "met"]),
        (171, 300, ["missed by 10 %", "met"]),
        (190, 270, ["met", "missed by 10 %"]),
    ],
)
def test_the_chain_is_held_to_its_bars(alone, plain, words):
    weight = Weight(100, 500, 167, plain, alone, {50: 1, 200: 100})
    assert [one.words for one in verdicts_of([weight])] == words
    assert [str(one.bar) for one in verdicts_of([weight])] == ["alone / chained ≥ 1.9", "plain / chained ≥ 3"]


def test_other_windows_and_starts_are_held_to_none():
    assert list(verdicts_of([Weight(500, 500, 34, 300, 200, {200: 100}), Weight(100, 5, 1, 300, 200, {50: 1})])) == []
