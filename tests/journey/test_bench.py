"""The bench's C programs: they compile, and what the floor and a real server send reaches every viewer, in order."""

import asyncio
import itertools
import json
import subprocess
import time

import pytest

import uproar.bench.compiled as compiled_programs
from uproar.bench.compiled import CannotCompile, compiler, program
from uproar.bench.poster import Poster
from uproar.bench.programs import floor, watching
from uproar.bench.stage import faults, frames_of
from uproar.bench.viewers import connect
from uproar.wire.deflate import Deflater
from uproar.wire.websocket import text_frame

VIEWERS = 20
RATE, SECONDS, BURST = 20, 1, 2
WITHIN_S = 60
NUMBERS = itertools.count(1)

needs_compiler = pytest.mark.skipif(compiler() is None, reason="this machine has no C compiler")


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    """The programs of this file are its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def stream(served, boss):
    name = f"s{next(NUMBERS)}"
    assert served.call("PUT", f"/v1/streams/{name}", {"rules": {"show": "all"}}, boss)[0] == 201
    return name


class Witness:
    """One more viewer, which reads all: how many batches there were, and which comments."""

    def __init__(self):
        self.batches, self.ids, self.number = 0, set(), -1

    def __call__(self, viewer, text):
        message = json.loads(text)
        if "position" in message:
            self.number = int(message["position"].split(".")[1])
        if message["type"] == "batch":
            self.batches += 1
            self.ids |= {comment["id"] for comment in message.get("comments", ())}

    async def until(self, true):
        while not true(self):
            await asyncio.sleep(0.01)


def watched(served, stream, boss, **options):
    """What the viewers saw of a second of stamped comments, and how many batches there were."""

    async def main():
        witness, path = Witness(), f"/v1/streams/{stream}/live"
        seat = await connect(served.port, path, witness)
        await witness.until(lambda it: it.number > 0)  # the stream's making was told
        poster = await Poster(served.port, stream, [boss]).open()
        async with watching(served.port, path, viewers=VIEWERS, **options) as crowd:
            witness.batches = 0
            await poster.run(RATE, SECONDS, BURST, lambda number: f"t={time.monotonic_ns()};{number}")
            await witness.until(lambda it: len(poster.acked) == RATE * SECONDS and it.ids >= set(poster.acked))
            await crowd.until(lambda saw: saw["up"] == VIEWERS and saw["least_batches"] >= witness.batches)
            saw = await crowd.end()
        seat.transport.abort()
        poster.close()
        return saw, witness.batches

    async def in_time():
        async with asyncio.timeout(WITHIN_S):
            return await main()

    return asyncio.run(in_time())


def reaches_all_in_order(saw, batches):
    whole = saw["least_batches"] == saw["most_batches"] == batches
    return whole and not (saw["holes"] or saw["repeats"] or saw["skipped"] or saw["damaged"] or saw["closes"])


@needs_compiler
def test_every_frame_of_the_floor_reaches_every_viewer():
    cost, saw = asyncio.run(floor(VIEWERS, 2048, RATE, SECONDS))
    assert cost["frames"] == saw["batches"] == VIEWERS * RATE * SECONDS
    assert saw["batch_bytes"] == saw["batches"] * 2048
    assert saw["latency_ms"]["count"] == saw["batches"]
    assert cost["round_ms"]["count"] == saw["spread_ms"]["count"] == RATE * SECONDS
    assert saw["spread_ms"]["max"] <= saw["latency_ms"]["max"]
    assert reaches_all_in_order(saw, RATE * SECONDS)


@needs_compiler
def test_every_batch_of_a_server_reaches_every_viewer(served, stream, boss):
    saw, batches = watched(served, stream, boss)
    assert reaches_all_in_order(saw, batches)
    assert saw["latency_ms"]["count"] == saw["batches"] == VIEWERS * batches


@needs_compiler
def test_a_storm_is_recovered_whole(served, stream, boss):
    saw, batches = watched(served, stream, boss, storm=0.5, spread=0.5)
    assert reaches_all_in_order(saw, batches)
    assert (saw["recovered"], saw["anew"], saw["back_ms"]["count"]) == (VIEWERS, 0, VIEWERS)


@pytest.fixture
def zlib_headers():
    """Without them the viewers cannot inflate."""
    refusal = subprocess.run(
        [program("load"), "127.0.0.1:1", "/", "--inflate", "1", "--viewers", "0"], capture_output=True
    )
    if b"zlib" in refusal.stderr:
        pytest.skip("this machine has no zlib headers")


@needs_compiler
@pytest.mark.usefixtures("zlib_headers")
@pytest.mark.parametrize(
    ("sent", "lost", "wrong"),
    [((1, 2, 3, 4), 0, False), ((1, 2, 4), 1, False), ((1, 2, 2, 3), 0, True), ((1, 2, -3, 4), 0, True)],
)
def test_holes_and_damage_are_seen_in_a_chain_of_deflated_batches(sent, lost, wrong):
    """One below 0 follows what was never sent: it and all behind it point too far back."""
    all_up = asyncio.Event()

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        await all_up.wait()
        deflater = Deflater()
        for number in sent:
            if number < 0:
                deflater.add(b"what nobody ever gets, and is no batch")
            batch = b'{"type":"batch","position":"e.%d","comments":[]}' % abs(number)
            writer.write(text_frame(deflater.add(batch), compressed=True))
        await reader.read()
        writer.close()

    async def main():
        async with asyncio.timeout(WITHIN_S), await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with watching(port, "/", viewers=4, inflate=2) as crowd:
                all_up.set()
                await crowd.until(lambda saw: saw["deflated"] == 4 * len(sent))
                return await crowd.end()

    saw = asyncio.run(main())
    assert (faults(saw)["lost"], faults(saw)["wrong"] > 0) == (2 * lost, wrong)
    assert (frames_of(saw) == 4 * len(sent)) == (-3 not in sent)


@needs_compiler
@pytest.mark.usefixtures("zlib_headers")
def test_deflated_batches_are_the_same_batches(served, stream, boss):
    saw, batches = watched(served, stream, boss, inflate=2)
    assert reaches_all_in_order(saw, batches)
    assert saw["deflated"] == VIEWERS * batches
    assert saw["inflated"] == saw["batches"] == VIEWERS * batches / 2


@needs_compiler
def test_who_stops_reading_is_left_out_of_the_healthy_ones(served, stream, boss):
    saw, batches = watched(served, stream, boss, stopped=5)
    assert reaches_all_in_order(saw, batches)
    assert saw["batches"] == saw["latency_ms"]["count"] == (VIEWERS - 5) * batches


@needs_compiler
def test_a_program_is_compiled_once_and_without_zlib_too(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(compiled_programs, "ZLIB", compiled_programs.PLAIN)
    first = program("load")
    monkeypatch.setattr(compiled_programs, "compiler", lambda: None)
    assert program("load") == first
    assert first.is_relative_to(tmp_path)


def test_without_a_compiler_one_sentence_says_what_is_needed(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(compiled_programs, "compiler", lambda: None)
    with pytest.raises(CannotCompile, match="needs a C compiler"):
        program("load")
