"""A change to a stream."""

from typing import get_args, get_type_hints

import msgspec
import pytest
from msgspec import UnsetType

from uproar.core.refusal import Refusal, Refused
from uproar.core.stream import Rules, Stream
from uproar.write.change import RulesChange, StreamChange, changed

STREAM = Stream("s", "Title", "ann", 5, "live", Rules(slow_ms=7))


def change(text):
    return msgspec.json.decode(text, type=StreamChange)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", STREAM),
        ('{"title": ""}', Stream("s", "", "ann", 5, "live", Rules(slow_ms=7))),
        ('{"state": "ended", "started_at": 9}', Stream("s", "Title", "ann", 9, "ended", Rules(slow_ms=7))),
        ('{"creator": "bob"}', Stream("s", "Title", "bob", 5, "live", Rules(slow_ms=7))),
        ('{"rules": {}}', STREAM),
        ('{"rules": {"words": ["a"]}}', Stream("s", "Title", "ann", 5, "live", Rules(slow_ms=7, words=("a",)))),
        ('{"rules": {"language_packs": ["en"]}}', None),
        ('{"title": "a\\u0000b"}', Refusal.UNPRINTABLE),
        ('{"creator": "no user"}', Refusal.BAD_MESSAGE),
        ('{"rules": {"language_packs": ["xx"]}}', Refusal.BAD_MESSAGE),
    ],
)
def test_what_is_named_changes_and_the_rest_stays(text, expected):
    after = changed(STREAM, change(text))
    if isinstance(expected, Refusal):
        assert isinstance(after, Refused)
        assert after.refusal is expected
    else:
        assert after == (expected or after)
        assert isinstance(after, Stream)


def test_a_change_may_name_every_rule_within_its_bounds_and_no_other():
    rules, changes = (get_type_hints(kind, include_extras=True) for kind in (Rules, RulesChange))
    assert list(rules) == list(changes)
    for name, hint in rules.items():
        assert changes[name] == hint | UnsetType, name
    assert UnsetType in get_args(changes["slow_ms"])
