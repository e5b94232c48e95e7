"""How fast one user may ask over HTTP."""

import pytest

from tests.tools import TurnedClock
from uproar.api.pace import Pace
from uproar.api.problems import Denied
from uproar.auth import Identity
from uproar.core.refusal import Refusal
from uproar.observe.counters import Metrics

ANN, BOB = Identity("ann", "Ann", 0), Identity("bob", "Bob", 0)
BRIDGE = Identity("bridge", "Bridge", 0, ("importer",))


def taken(ask, times=100):
    """How often of so many times it was not refused."""
    refused = 0
    for _ in range(times):
        try:
            ask()
        except Denied as denied:
            assert (denied.why.refusal, denied.status) == (Refusal.OVERLOADED, 503)
            assert 0 < denied.why.retry_after_ms <= 1001
            refused += 1
    return times - refused


@pytest.mark.parametrize(("who", "expected"), [(ANN, 20), (BRIDGE, 100), (None, 100)])
def test_messages(who, expected):
    pace = Pace(TurnedClock(), Metrics())
    assert taken(lambda: pace.message(who)) == expected


@pytest.mark.parametrize(("who", "expected"), [(ANN, 10), (BRIDGE, 100), (None, 10)])
def test_reactions(who, expected):
    metrics = Metrics()
    pace = Pace(TurnedClock(), metrics)
    assert taken(lambda: pace.reaction(who, "8.8.8.8")) == expected
    dropped = metrics.registry.get_sample_value("uproar_dropped_reactions_total")
    assert dropped == 100 - expected


def test_every_user_and_every_address_has_a_pace_of_its_own_each_second():
    clock = TurnedClock()
    pace = Pace(clock, Metrics())
    asks = [lambda: pace.message(ANN), lambda: pace.message(BOB), lambda: pace.reaction(ANN, "a")]
    asks += [lambda: pace.reaction(None, "ann"), lambda: pace.reaction(None, "")]
    assert [taken(ask) for ask in asks] == [20, 20, 10, 10, 10]
    clock.turn(1)
    assert [taken(ask) for ask in asks] == [20, 20, 10, 10, 10]
