"""An outage tells when to ask again, and "perhaps kept" is one of them."""

import pytest

from uproar.core.errors import Unavailable, Unconfirmed


def test_an_outage_tells_when_to_ask_again():
    assert Unavailable("the log is down", retry_after_ms=250).retry_after_ms == 250
    assert Unavailable("the log is down").retry_after_ms > 0


def test_whoever_waits_for_an_outage_also_hears_of_what_was_perhaps_kept():
    with pytest.raises(Unavailable, match="no answer"):
        raise Unconfirmed("no answer from the log")
