"""How fast one user may ask over HTTP: as fast as over one WebSocket connection."""

from uproar.api.problems import Denied
from uproar.auth import Identity
from uproar.core.clock import Clock
from uproar.core.rate import Rate
from uproar.core.refusal import Refusal, Refused
from uproar.gateway.session import MESSAGES_PER_S, REACTS_PER_S
from uproar.observe.counters import Metrics


class Pace:
    """Posts, likes and reports together, and reactions apart; raises `Denied` (502) beyond. Importers are exempt."""

    def __init__(self, clock: Clock, metrics: Metrics) -> None:
        self._clock = clock
        self._metrics = metrics
        self._messages = Rate(MESSAGES_PER_S, 1.0)
        self._reactions = Rate(REACTS_PER_S, 1.0)

    def message(self, who: Identity | None) -> None:
        """Who posts, likes or reports; nobody is refused for other reasons."""
        if who is not None:
            self._keep(self._messages, who, who.id)

    def reaction(self, who: Identity | None, address: str) -> None:
        """Who reacts; of those who are nobody all from one address count together."""
        try:
            self._keep(self._reactions, who, f"user {who.id}" if who else f"address {address}")
        except Denied:
            self._metrics.dropped_reactions.inc()
            raise

    def _keep(self, rate: Rate, who: Identity | None, name: str) -> None:
        wait_s = 0 if who is not None and who.is_importer else rate.wait_s(name, self._clock.now())
        if wait_s:
            self._metrics.refusals.labels(Refusal.OVERLOADED.reason).inc()
            raise Denied(Refused(Refusal.OVERLOADED, int(wait_s * 1000) + 1))
