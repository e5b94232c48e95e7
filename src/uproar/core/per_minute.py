"""How often each of many did something in the last minute."""

SPAN_S = 60.0
NAMES = 10_000
"""So many are counted; of more the one that asked least recently is forgotten."""


class PerMinute:
    """At most `limit` in any minute for each name, such as an address."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._times: dict[str, list[float]] = {}

    def wait_s(self, name: str, now: float) -> float:
        """0 when one more fits (it is counted), else the seconds to wait."""
        times = [at for at in self._times.pop(name, ()) if at > now - SPAN_S]
        if len(self._times) >= NAMES:
            del self._times[next(iter(self._times))]
        self._times[name] = times
        if len(times) >= self._limit:
            return times[0] + SPAN_S - now
        times.append(now)
        return 0
