"""One emoji, however many code points it takes, is found whole."""

import pytest

from uproar.core.emoji import emoji_end

WHOLE = {
    "bare heart": "❤",
    "heart with emoji style": "❤️",
    "face": "😂",
    "thumb with skin tone": "👍🏽",
    "skin tone alone": "🏽",
    "flag": "🇩🇪",
    "keycap": "3️⃣",
    "keycap without style": "#⃣",
    "family": "👨‍👩‍👧‍👦",
    "kiss with skin tones": "👩🏽‍❤️‍💋‍👨🏻",
    "flag of Scotland": "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "rainbow flag": "🏳️‍🌈",
    "newer than Python's tables": "\U0001fae8",
}


@pytest.mark.parametrize("emoji", WHOLE.values(), ids=WHOLE)
def test_an_emoji_is_whole(emoji):
    assert emoji_end(emoji + "x", 0) == len(emoji)
    assert emoji_end("x" + emoji, 1) == 1 + len(emoji)


@pytest.mark.parametrize("text", ["a", "3", "#", "🇩", "🇩x", "‍", "️", "⃣", "好", "3️", "👨‍", "👨‍x", "\ud83d"])
def test_what_is_no_emoji_ends_where_it_starts(text):
    assert emoji_end(text, 0) == 0
