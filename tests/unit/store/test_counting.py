"""Reads of a store, counted."""

import inspect

from tests.tools import run
from uproar.core.stream import Stream
from uproar.store import Store
from uproar.store.counting import READS, counted
from uproar.store.memory import MemoryStore


def test_what_answers_is_a_read():
    methods = dict(inspect.getmembers(Store, inspect.iscoroutinefunction))
    answers = {name for name, method in methods.items() if inspect.signature(method).return_annotation is not None}
    assert answers - {"lease"} == READS


def test_each_read_is_counted_and_no_write_is():
    async def main():
        reads = []
        store = counted(MemoryStore(), lambda: reads.append(1))
        await store.put_stream(Stream("s", title="T"))
        assert reads == []
        assert (await store.stream("s")).title == "T"
        assert await store.page("s", before=None, after=None, limit=5) == []
        await store.stream("s")
        assert len(reads) == 3

    run(main())
