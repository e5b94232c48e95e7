"""Broadcasts that give way, and what happens to a room in between."""

import asyncio

from tests.tools import run
from tests.unit.gateway.test_hub import House, Screen, settle
from uproar.wire.frames import Batch, Joined


def texts_since_joined(viewer):
    at = max(at for at, one in enumerate(viewer.told) if isinstance(one, Joined))
    batches = [one for one in viewer.told[at + 1 :] if isinstance(one, Batch)]
    return [comment.text for one in batches for comment in one.comments]


def test_a_broadcast_that_gave_way_ends_with_its_chain():
    async def go():
        house = House(one_a_turn=True)
        for _ in range(6):
            await house.watch()
        await house.frame("old", turns=0)
        await settle(3)  # it gave way to others
        await house.timeline.renew("s", (await house.timeline.top("s")).epoch)
        viewers = [Screen() for _ in range(6)]
        for viewer in viewers:
            house.hub.join(viewer, "s", None, 50, None)
        await settle(3)
        await house.frame("new", turns=100)
        assert [texts_since_joined(viewer) for viewer in viewers] == [["new"]] * 6

    run(go())


def test_what_was_gone_earlier_is_not_learnt_after_what_is_gone_now():
    async def go():
        house = House()
        viewer = await house.watch()
        start = await house.frame("bad")
        ask, told = house.timeline.gone, asyncio.Event()

        async def gone_on_its_way(stream):
            found, house.timeline.gone = await ask(stream), ask
            await told.wait()
            return found

        house.timeline.gone = gone_on_its_way
        await house.watch(start._replace(number=0))
        await house.timeline.take_down("s", [100], {})
        await house.frame(changes_gone=True)
        assert viewer.room.gone.covers(100, "u")
        told.set()
        await settle()
        assert viewer.room.gone.covers(100, "u")

    run(go())
