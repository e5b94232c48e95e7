"""Nothing is ever written to a descriptor after its viewer left, whoever has it then; everyone else gets every byte."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.native.crowd import party
from uproar.gateway.sending import service
from uproar.native import Absent, LoopSender, RingSender, load


@pytest.fixture(scope="module", params=[LoopSender, RingSender])
def sender(request):
    try:
        return request.param(load())
    except Absent as why:
        pytest.skip(str(why))


@pytest.fixture(scope="module", autouse=True)
def slices_of_four():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(service, "NATIVE_CHUNK", 4)
        yield


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_viewers_leave_and_come_between_slices_and_in_callbacks_and_files_take_their_descriptors(sender, seed):
    party(sender, seed)


def test_a_crowd_is_what_its_dice_promise(sender):
    crowds = [party(sender, seed) for seed in range(10)]
    assert sum(len(crowd.here) for crowd in crowds) > 50
    assert all(any(not guest.here for guest, _ in crowd.guests) and crowd.files and crowd.cut for crowd in crowds)
