"""A small application behind `BoundedHttp`, for its journey: `python bounded_app.py PORT`; a request has one second."""

import asyncio
import sys

import uvicorn

from uproar.gateway.caps import Addresses, Caps
from uproar.gateway.http.protocol import BoundedHttp, Bounds

LONG_S = 2.5  # more than a request has
LARGE = 24 << 20  # more than sockets hold


class Bounded(BoundedHttp):
    bounds = Bounds(request_s=1.0)
    lag_close_s = 1.0
    caps = Caps(Addresses(50), (), list)


async def app(scope, receive, send):
    """`/`: the body's length. `/stream`: five parts, slowly. `/wait`: an answer that takes long. `/large`: a large one.

    `/deaf`: the same, and reads late. `/eager`: begins its answer before it has read.
    """
    if scope["path"] == "/deaf":
        await asyncio.sleep(LONG_S)
    if scope["path"] == "/eager":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
    length = await body_length(receive)
    if scope["path"] == "/wait":
        await asyncio.sleep(LONG_S)
    if scope["path"] == "/stream":
        await stream(send)
    elif scope["path"] != "/eager":
        answer = b"x" * LARGE if scope["path"] == "/large" else b"%d bytes" % length
        headers = [(b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


async def body_length(receive):
    length, more = 0, True
    while more:
        message = await receive()
        length += len(message.get("body", b""))
        more = message.get("more_body", False)
    return length


async def stream(send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    for number in range(5):
        await send({"type": "http.response.body", "body": b"data: %d\n\n" % number, "more_body": True})
        await asyncio.sleep(LONG_S / 5)
    await send({"type": "http.response.body"})


if __name__ == "__main__":
    config = uvicorn.Config(
        app,
        port=int(sys.argv[1]),
        loop="uvloop",
        http=Bounded,
        ws="none",
        lifespan="off",
        log_level="error",
        timeout_keep_alive=30,
    )
    uvicorn.Server(config).run()
