"""Measures what docs/performance.md tells: `python -m bench.bars NAME…` (all without names); prints a line a figure."""

import asyncio
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import uvloop

from bench.server import Server
from bench.viewers import Poster, Viewer, connect, crowd, percentile

TOOLS = Path(__file__).resolve().parents[1].parent / "shared" / "bench"
STREAM = "bench"
LIVE = f"/v1/streams/{STREAM}/live"


def tell(name: str, **figures: object) -> None:
    """One line of figures."""
    print(json.dumps({"bar": name, **figures}), flush=True)


def tool(name: str) -> str:
    """The C program, compiled where it was not."""
    built = Path(tempfile.gettempdir()) / f"uproar-bench-{name}"
    if not built.exists():
        subprocess.run(["gcc", "-O2", "-o", built, TOOLS / f"{name}.c", "-lm"], check=True)
    return str(built)


def importers(server: Server, count: int) -> list[str]:
    """Tokens of importers: no limits hold for them."""
    return [server.token(f"importer{number}", "importer") for number in range(count)]


def prepare(server: Server) -> None:
    """The stream shows everything."""
    server.call("PUT", f"/v1/streams/{STREAM}", server.token("boss", "admin"), {"rules": {"show": "all"}})


async def posts(data: Path) -> None:
    """1,000 posts a second over WebSocket for 30 s, to the disk."""
    with Server(data) as server:
        prepare(server)
        poster = await Poster(server.port, STREAM, importers(server, 8)).open()
        await poster.run(1000, 30, 10, lambda n: f"comment number {n}")
        p50, p99 = percentile(poster.acks_s, 0.5) * 1e3, percentile(poster.acks_s, 0.99) * 1e3
        tell("posts over WebSocket", acked=len(poster.acks_s), refused=poster.refused, p50_ms=p50, p99_ms=p99)


async def rest_posts(data: Path) -> None:
    """1,000 posts a second over REST for 30 s, to the disk, from a pool of keep-alive connections."""
    with Server(data) as server:
        prepare(server)
        tokens = importers(server, 8)
        acks: list[float] = []
        statuses: dict[int, int] = {}
        idle: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        for _ in range(64):
            idle.put_nowait(await asyncio.open_connection("127.0.0.1", server.port))

        async def post(number: int) -> None:
            began = time.perf_counter()
            reader, writer = await idle.get()
            body = json.dumps({"text": f"comment number {number}"}).encode()
            head = (
                f"POST /v1/streams/{STREAM}/comments HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                f"Authorization: Bearer {tokens[number % 8]}\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            writer.write(head.encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            status = int(answer.split()[1])
            statuses[status] = statuses.get(status, 0) + 1
            acks.append(time.perf_counter() - began)
            idle.put_nowait((reader, writer))

        began, tasks = time.perf_counter(), []
        for step in range(3000):
            tasks += [asyncio.create_task(post(step * 10 + one)) for one in range(10)]
            await asyncio.sleep(max(0.0, began + (step + 1) / 100 - time.perf_counter()))
        await asyncio.gather(*tasks)
        p50, p99 = percentile(acks, 0.5) * 1e3, percentile(acks, 0.99) * 1e3
        tell("posts over REST", statuses=statuses, p50_ms=p50, p99_ms=p99)


async def fanout(data: Path) -> None:
    """5,000 viewers, ten frames of 2 KB a second, beside the C floor of the same minute."""
    for round_ in range(3):
        shutil.rmtree(data, ignore_errors=True)
        with Server(data, cpu=0) as server:
            prepare(server)
            poster = await Poster(server.port, STREAM, importers(server, 1)).open()
            bare = await _posting_cpu(server, poster)
            sink = await _sink(server.port, f"{LIVE}?history=0", 5000, 30)
            idle_s, cpu_s = server.cpu_s(), await _posting_cpu(server, poster)
            figures = json.loads((await sink.communicate())[0])
            frames = figures["frames"]
            ours = (cpu_s - bare) / frames * 1e6
        size = figures["bytes"] / frames
        floor = await _floor(5000, int(size))
        tell(
            f"fan-out, round {round_ + 1}",
            ours_us=ours,
            floor_us=floor,
            ratio=ours / floor,
            frame_bytes=size,
            frames=frames,
            least=figures["min_frames"],
            most=figures["max_frames"],
            closed=figures["closed"],
            posting_cpu_s=bare,
            before_s=idle_s,
        )


async def _posting_cpu(server: Server, poster: Poster) -> float:
    began = server.cpu_s()
    await poster.run(38, 8, 4, lambda n: f"{n} " + "so good " * 50)
    return server.cpu_s() - began


async def _sink(port: int, path: str, viewers: int, seconds: int) -> asyncio.subprocess.Process:
    sink = await asyncio.create_subprocess_exec(
        "taskset",
        "-c",
        "1",
        tool("sink"),
        "127.0.0.1",
        str(port),
        path,
        str(viewers),
        str(seconds),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert sink.stderr is not None
    while f'"up":{viewers}'.encode() not in await sink.stderr.readline():
        pass
    return sink


async def _floor(viewers: int, size: int) -> float:
    limit = await asyncio.create_subprocess_exec(
        "taskset", "-c", "0", tool("limit"), "18390", str(viewers), str(size), "100", "6", stdout=subprocess.PIPE
    )
    sink = await asyncio.create_subprocess_exec(
        "taskset",
        "-c",
        "1",
        tool("sink"),
        "127.0.0.1",
        "18390",
        "/",
        str(viewers),
        "8",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    told = json.loads((await limit.communicate())[0])
    await sink.wait()
    return float(told["cpu_us_per_delivery"])


async def idle(data: Path) -> None:
    """Memory of 5,000 idle viewers."""
    with Server(data) as server:
        prepare(server)
        await crowd(server.port, f"{LIVE}?history=0", 50, lambda *_: None)
        before = server.rss_bytes()
        viewers = await crowd(server.port, f"{LIVE}?history=0", 5000, lambda *_: None)
        await asyncio.sleep(3)
        after = server.rss_bytes()
        tell("idle viewer", kib=(after - before) / 5000 / 1024, viewers=len(viewers))


async def storm(data: Path) -> None:
    """Every viewer of 5,000 cut, and back with its position."""
    with Server(data) as server:
        prepare(server)
        poster = await Poster(server.port, STREAM, importers(server, 1)).open()
        seen: dict[str, int] = {}

        def heard(viewer: Viewer, text: bytes) -> None:
            if text.startswith(b'{"type":"joined"'):
                key = "recovered" if b'"recovered":true' in text else "new"
                seen[key] = seen.get(key, 0) + 1
            at = text.find(b'"position":"')
            if at >= 0:
                viewer.position = text[at + 12 : text.index(b'"', at + 12)].decode()

        viewers = await crowd(server.port, f"{LIVE}?history=0", 5000, heard)
        await poster.run(20, 3, 2, lambda n: f"before {n}")
        seen.clear()
        for viewer in viewers:
            viewer.transport.abort()  # type: ignore[attr-defined]
        await poster.run(20, 1, 2, lambda n: f"meanwhile {n}")
        reads = _metric(server, "uproar_store_reads_total")
        began = time.perf_counter()
        back = []
        for start in range(0, 5000, 200):
            part = viewers[start : start + 200]
            back += await asyncio.gather(
                *(connect(server.port, f"{LIVE}?position={viewer.position}", heard) for viewer in part)
            )
        while seen.get("recovered", 0) + seen.get("new", 0) < 5000 and time.perf_counter() - began < 60:
            await asyncio.sleep(0.05)
        tell(
            "storm",
            back_s=time.perf_counter() - began,
            store_reads=_metric(server, "uproar_store_reads_total") - reads,
            **seen,
        )


def _metric(server: Server, name: str) -> float:
    import urllib.request

    with urllib.request.urlopen(f"http://127.0.0.1:{server.admin_port}/metrics") as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
    return 0.0


async def away(data: Path) -> None:
    """A viewer back after 50 s away: every batch once."""
    with Server(data) as server:
        prepare(server)
        poster = await Poster(server.port, STREAM, importers(server, 1)).open()
        got: list[int] = []
        joined: list[bytes] = []

        def heard(viewer: Viewer, text: bytes) -> None:
            message = json.loads(text)
            if message["type"] == "joined":
                joined.append(text)
            if "position" in message:
                viewer.position = message["position"]
            if message["type"] == "batch":
                got.append(int(message["position"].split(".")[1]))

        viewer = await connect(server.port, LIVE, heard)
        await poster.run(20, 1, 2, lambda n: f"before {n}")
        viewer.transport.abort()  # type: ignore[attr-defined]
        await poster.run(20, 50, 2, lambda n: f"away {n}")
        await connect(server.port, f"{LIVE}?position={viewer.position}", heard)
        await poster.run(20, 1, 2, lambda n: f"after {n}")
        whole = got == list(range(got[0], got[-1] + 1))
        tell("50 s away", recovered=b'"recovered":true' in joined[-1], batches=len(got), every_batch_once=whole)


async def slow(data: Path) -> None:
    """200 of 2,000 viewers stop reading: the others' latency, and the memory of a stopped one."""
    with Server(data) as server:
        prepare(server)
        poster = await Poster(server.port, STREAM, importers(server, 1)).open()
        late: list[float] = []

        def heard(viewer: Viewer, text: bytes) -> None:
            if b" at " in text:
                at = text.rindex(b" at ") + 4
                late.append(time.perf_counter() - float(text[at : text.index(b" ", at)]))

        def stamped(n: int) -> str:
            return f"{n} {'y' * 300} at {time.perf_counter()} "[:499] + "z"

        await crowd(server.port, f"{LIVE}?history=0", 1800, heard)
        stopped = await crowd(server.port, f"{LIVE}?history=0", 200, lambda *_: None)
        await poster.run(10, 20, 1, stamped)
        calm = percentile(late, 0.99)
        late.clear()
        before = server.rss_bytes()
        for viewer in stopped:
            viewer.transport.pause_reading()  # type: ignore[attr-defined]
        await poster.run(10, 25, 1, stamped)
        tell(
            "200 of 2,000 stop reading",
            p99_ms=percentile(late, 0.99) * 1e3,
            calm_p99_ms=calm * 1e3,
            ratio=percentile(late, 0.99) / calm,
            kib_a_stopped_viewer=(server.rss_bytes() - before) / 200 / 1024,
        )


async def removal(data: Path) -> None:
    """A removal answered, until it left 1,000 open viewers."""
    with Server(data) as server:
        prepare(server)
        poster = await Poster(server.port, STREAM, importers(server, 1)).open()
        boss = server.token("boss", "admin")
        told: dict[str, list[float]] = {}

        def heard(viewer: Viewer, text: bytes) -> None:
            at = text.find(b'"removed":["')
            if at >= 0:
                told.setdefault(text[at + 12 : text.index(b'"', at + 12)].decode(), []).append(time.perf_counter())

        await crowd(server.port, f"{LIVE}?history=0", 1000, heard)
        spans, still = [], 0
        for number in range(60):
            poster.post(f"to be removed {number}")
            await asyncio.sleep(random.Random(number).uniform(0.2, 0.4))
            known = poster.acked[-1]
            await asyncio.to_thread(server.call, "DELETE", f"/v1/streams/{STREAM}/comments/{known}", boss, {"why": ""})
            answered = time.perf_counter()
            _, page = await asyncio.to_thread(server.call, "GET", f"/v1/streams/{STREAM}/comments")
            still += any(comment["id"] == known for comment in page["comments"])  # type: ignore[index]
            await asyncio.sleep(0.7)
            spans += [at - answered for at in told.get(known, [])]
        tell("removal", seen=len(spans), expected=60_000, p99_ms=percentile(spans, 0.99) * 1e3, still_in_history=still)


async def growth(data: Path) -> None:
    """200,000 comments with a short log: the directory's size."""
    with Server(data, log_retention_h=0.005) as server:
        prepare(server)
        poster = await Poster(server.port, STREAM, importers(server, 8)).open()
        sizes = []
        for _ in range(10):
            await poster.run(2000, 10, 20, lambda n: f"comment number {n}, as long as comments are on the whole")
            sizes.append(sum(file.stat().st_size for file in data.iterdir()) / 1e6)
        await asyncio.sleep(40)
        sizes.append(sum(file.stat().st_size for file in data.iterdir()) / 1e6)
        tell(
            "growth",
            acked=len(poster.acks_s),
            mb_every_20000=sizes,
            bytes_a_comment=sizes[-1] * 1e6 / len(poster.acks_s),
        )


async def start(data: Path) -> None:
    """From the command to ready, and memory at rest."""
    times = []
    for _ in range(7):
        with Server(data) as server:
            times.append(server.ready_s)
            await asyncio.sleep(0.5)
            rest = server.rss_bytes()
    tell("start", ready_s=sorted(times)[3], most_s=max(times), rest_mib=rest / (1 << 20))


async def kills(data: Path) -> None:
    """100 x kill -9 under load: nothing acknowledged lost, nothing doubled."""
    server = Server(data)
    kept: dict[str, str] = {}
    ready = []
    luck = random.Random(1)
    number = 0
    for _ in range(100):
        server.start()
        ready.append(server.ready_s)
        poster = await Poster(server.port, STREAM, importers(server, 8)).open()
        until = time.perf_counter() + luck.uniform(0.1, 1.0)
        while time.perf_counter() < until:
            for _ in range(5):
                number += 1
                poster.post(f"comment {number}")
            await asyncio.sleep(0.02)
        server.kill()
        await asyncio.sleep(0.05)
        kept.update(dict.fromkeys(poster.acked, ""))
    with server:
        await asyncio.sleep(2)
        found: list[str] = []
        texts: list[str] = []
        before = ""
        while True:
            path = f"/v1/streams/{STREAM}/comments?limit=200" + (f"&before={before}" if before else "")
            page = server.call("GET", path)[1]
            found += [comment["id"] for comment in page["comments"]]  # type: ignore[index]
            texts += [comment["text"] for comment in page["comments"]]  # type: ignore[index]
            before = page["next"]  # type: ignore[index]
            if not before:
                break
    tell(
        "kill -9",
        kills=100,
        acked=len(kept),
        lost=len(kept.keys() - set(found)),
        doubled=len(texts) - len(set(texts)),
        ready_p50_s=percentile(ready, 0.5),
        ready_most_s=max(ready),
    )


BARS: dict[str, Callable[[Path], object]] = {
    bar.__name__: bar for bar in (start, posts, rest_posts, fanout, idle, storm, slow, removal, away, growth, kills)
}


def main() -> None:
    """Run the bars that were named."""
    for name in sys.argv[1:] or BARS:
        with tempfile.TemporaryDirectory(prefix="uproar-bench-") as folder:
            uvloop.run(BARS[name](Path(folder) / "data"))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
