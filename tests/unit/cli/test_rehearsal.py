"""A replay that had better end before its recording does."""

import msgspec
import pytest

from tests.tools import run
from tests.unit.cli.serving import served
from uproar.cli.importer import Importer
from uproar.cli.recording import Said
from uproar.cli.rehearsal import Rehearsal
from uproar.core.refusal import Refusal
from uproar.wire.codec import encode
from uproar.wire.frames import RefusedMessage

FOREVER_MS = 10**9


@pytest.mark.parametrize("why", [Refusal.NOT_SIGNED_IN, Refusal.BAD_TOKEN], ids=lambda why: why.reason)
def test_a_replay_ends_when_its_tokens_are_not_taken(why):
    async def handler(socket):
        async for text in socket:
            if ref := msgspec.json.decode(text).get("ref"):
                refused = RefusedMessage(why.code, why.reason, why.message, why.again, ref=ref)
                await socket.send(encode(refused).decode())

    async def use(address):
        rehearsal = Rehearsal(address, "s", Importer(b"s" * 32), viewers=0, shown=False)
        return await rehearsal.run([Said(0, "ann", "hi"), Said(FOREVER_MS, "ann", "there")], speed=1)

    figures = run(served(handler, use))
    assert (figures.posted, figures.refused, figures.stopped) == (1, {why.reason: 1}, why.reason)
    assert not figures.whole
