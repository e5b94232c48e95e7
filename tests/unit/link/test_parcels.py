"""Open files go to another end with their bytes, in order, and what does not fit waits or is refused."""

import asyncio
import os

import pytest

from tests.tools import run
from uproar.core.errors import Overloaded, Unavailable
from uproar.link import Parcels, parcels
from uproar.link.parcels import Parcel


class Ends:
    """Two ends and a file to send; `got` is what came."""

    def __init__(self):
        here, there = Parcels.pair()
        self.here, self.there = Parcels(here), Parcels(there)
        self.got = []
        self.reading, self.writing = os.pipe()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.here.close()
        self.there.close()
        for _, parcel in self.got:
            os.close(parcel.descriptor)
        os.close(self.reading)
        os.close(self.writing)

    def receive(self):
        self.there.receive(lambda *parcel: self.got.append(parcel))

    async def send(self, number, data=b""):
        return await self.here.send(number, lambda: Parcel(data, self.writing))

    async def all_came(self, count):
        while len(self.got) < count:
            await asyncio.sleep(0)


def test_a_file_comes_with_its_number_and_bytes_and_is_the_receivers_own():
    async def story():
        with Ends() as ends:
            ends.receive()
            assert await ends.send(7, b"head and more")
            await ends.all_came(1)
            ((number, parcel),) = ends.got
            assert (number, parcel.data) == (7, b"head and more")
            assert parcel.descriptor != ends.writing
            assert not os.get_inheritable(parcel.descriptor)
            os.write(parcel.descriptor, b"x")
            assert os.read(ends.reading, 1) == b"x"

    run(story())


def test_what_does_not_fit_waits_in_order():
    async def story():
        with Ends() as ends:
            sending = [asyncio.ensure_future(ends.send(number, bytes(50_000))) for number in range(60)]
            await asyncio.sleep(0.01)
            assert not all(one.done() for one in sending)
            ends.receive()
            assert all(await asyncio.gather(*sending))
            await ends.all_came(60)
            assert [number for number, _ in ends.got] == list(range(60))

    run(story())


def test_what_is_not_there_any_more_when_its_turn_comes_is_not_sent():
    async def story():
        with Ends() as ends:
            sending = [asyncio.ensure_future(ends.send(number, bytes(50_000))) for number in range(60)]
            late = asyncio.ensure_future(ends.here.send(60, lambda: None))
            await asyncio.sleep(0.01)
            ends.receive()
            assert all(await asyncio.gather(*sending))
            assert await late is False

    run(story())


def test_more_than_may_wait_is_refused(monkeypatch):
    monkeypatch.setattr(parcels, "WAITING", 5)

    async def story():
        with Ends() as ends:
            sending = [asyncio.ensure_future(ends.send(number, bytes(50_000))) for number in range(60)]
            await asyncio.sleep(0.01)
            refused = [one for one in sending if one.done() and one.exception()]
            assert {type(one.exception()) for one in refused} == {Overloaded}
            assert sum(not one.done() for one in sending) == 5
            waiting = [one for one in sending if not one.done()]
            ends.here.close()
            for one in waiting:
                with pytest.raises(Unavailable):
                    await one

    run(story())


def test_what_is_larger_than_a_parcel_is_refused():
    async def story():
        with Ends() as ends:
            with pytest.raises(Overloaded):
                await ends.send(1, bytes(8 << 20))
            ends.receive()
            assert await ends.send(2, b"small")
            await ends.all_came(1)

    run(story())


def test_nobody_at_the_other_end_is_an_outage():
    async def story():
        with Ends() as ends:
            ends.there.close()
            with pytest.raises(Unavailable):
                await ends.send(1)

    run(story())
