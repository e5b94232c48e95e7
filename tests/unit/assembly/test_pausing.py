"""What ends again and again is started less and less often."""

import pytest

from uproar.assembly.pausing import YOUNG_S, Pauses


@pytest.mark.parametrize(
    ("lives", "pauses"),
    [
        ([YOUNG_S, 3600, YOUNG_S], [0, 0, 0]),
        ([0.2] * 9, [0, 1, 2, 4, 8, 16, 30, 30, 30]),
        ([0.2, 0.2, 0.2, YOUNG_S, 0.2, 0.2], [0, 1, 2, 0, 0, 1]),
    ],
)
def test_short_lives_in_a_row_are_paused_between_longer_and_longer(lives, pauses):
    after = Pauses().after
    assert [after(lived_s) for lived_s in lives] == pauses
