"""Those beside each other in a round: in another order each time, and who cannot takes nobody along."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import NamedTuple

from uproar.bench.installed import NotHere
from uproar.bench.lines import Figures
from uproar.bench.profile import Shown


class Turn(NamedTuple):
    """Who is measured, in which case, and how."""

    who: str
    case: str
    measure: Callable[[], Awaitable[Figures]]


async def in_turn(turns: Sequence[Turn], number: int) -> AsyncIterator[Shown]:
    """Each one's figures in the round of this number, or why there are none."""
    for turn in in_order(turns, number):
        try:
            yield turn.who, turn.case, await turn.measure()
        except (NotHere, RuntimeError) as why:
            yield turn.who, turn.case, str(why)


def in_order(turns: Sequence[Turn], number: int) -> list[Turn]:
    """Each round begins with the next one, and every other goes backwards: nobody always follows the same one."""
    step = 1 if number % 2 else -1
    return [turns[(number - 1 + step * at) % len(turns)] for at in range(len(turns))]
