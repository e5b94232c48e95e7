"""The last reaction number of each gateway run, for a bounded number of runs."""

from collections import OrderedDict
from collections.abc import Mapping

GATEWAYS = 1_000
"""Of more runs the one that was silent for longest is forgotten: a run that ended sends no repeats."""


class Counts(OrderedDict[str, int]):
    """Numbers by gateway run, the run that spoke last at the end."""

    def note(self, counted: Mapping[str, int]) -> None:
        """These were counted now."""
        for gateway, number in counted.items():
            self[gateway] = number
            self.move_to_end(gateway)
        while len(self) > GATEWAYS:
            self.popitem(last=False)
