"""How often each of many did something lately."""

MINUTE_S = 60.0
NAMES = 10_000
"""So many are counted; of more the one that asked least recently is forgotten."""


class Rate:
    """At most `limit` in any `span_s` (a minute) for each name, such as an address."""

    def __init__(self, limit: int, span_s: float = MINUTE_S) -> None:
        self._limit = limit
        self._span_s = span_s
        self._times: dict[str, list[float]] = {}

    def wait_s(self, name: str, now: float) -> float:
        """0 when one more fits (it is counted), else the seconds to wait."""
        times = [at for at in self._times.pop(name, ()) if at > now - self._span_s]
        if len(self._times) >= NAMES:
            del self._times[next(iter(self._times))]
        self._times[name] = times
        if len(times) >= self._limit:
            return times[0] + self._span_s - now
        times.append(now)
        return 0
