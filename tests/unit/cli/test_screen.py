"""What the terminal viewer shows."""

import pytest
from rich.console import Console

from uproar.cli.returning import State
from uproar.cli.screen import Rate, Screen, harmless
from uproar.core.comment import User
from uproar.wire.frames import Batch, Joined, PosterRules, RefusedMessage, Shown, Viewers

HEIGHT, WIDTH = 14, 100
LIVE = State("live")


def said(id, text="hello", name="Ann"):
    return Shown(str(id), User("ann", name), text, 0)


def joined(*comments, pinned=(), reactions=None):
    return Joined(
        "s", "e.1", False, list(comments), list(pinned), 12, reactions or {}, PosterRules(500, 0, ("❤",), "live")
    )


def shown(*messages, state=LIVE):
    screen = Screen("s", lambda: 10.0)
    screen.stand(state)
    for message in messages:
        screen.take(message)
    console = Console(width=WIDTH, height=HEIGHT, force_terminal=False)
    with console.capture() as drawn:
        console.print(screen, height=HEIGHT)
    return drawn.get()


def test_it_shows_comments_pins_viewers_reactions_and_what_was_left_out():
    text = shown(
        joined(said(1, "first"), pinned=[said(9, "the pin")], reactions={"❤": 1_200}),
        Batch("e.2", comments=[said(2, "second")], reactions={"❤": 50}, left_out=3),
        Viewers(1_234),
    )
    wanted = (
        "first",
        "second",
        "📌",
        "the pin",
        "1,250",
        "10/s",
        "1,234 viewers",
        "3 left out",
        "0.8 comments/s",
        "live",
    )
    assert [each for each in wanted if each not in text] == []


def test_a_removed_comment_is_off_the_screen():
    assert "first" not in shown(joined(said(1, "first")), Batch("e.2", removed=["1"]))


@pytest.mark.parametrize("comments", [0, 3, 300])
def test_it_is_as_high_as_the_terminal_and_ends_with_the_newest(comments):
    text = shown(joined(*(said(id, f"no {id}.") for id in range(1, comments + 1))))
    assert len(text.splitlines()) <= HEIGHT
    assert f"no {comments}." in text or not comments


def test_away_says_when_it_comes_back_and_why_it_is():
    text = shown(joined(), state=State("away", 1.5, "nobody answers there"))
    assert "away 1.5 s" in text
    assert "nobody answers there" in text


def test_a_refusal_is_on_the_screen():
    assert "Please sign in again." in shown(joined(), RefusedMessage(102, "bad_token", "Please sign in again.", True))


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\nb", "a\x07", "\x9b31m", "\u202eabc"])
def test_no_text_steers_the_terminal(text):
    assert harmless(text).isprintable()
    assert not {"\x1b", "\x9b", "\x07", "\u202e"} & set(shown(joined(said(1, text, text))))


def test_a_rate_forgets_what_is_older_than_its_span():
    now = [0.0]
    rate = Rate(lambda: now[0])
    rate.add(10)
    fresh, now[0] = rate.per_s, 5.0
    assert (fresh, rate.per_s) == (2.0, 0.0)
