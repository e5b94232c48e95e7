"""The ports: REST, pages and WebSocket on one, metrics on the other."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from msgspec.structs import replace

from uproar.assembly.gateways import Gateways
from uproar.assembly.house import House
from uproar.assembly.viewing import limits_of
from uproar.core.errors import Misconfigured
from uproar.gateway.arriving.protocol import Arriving, Door
from uproar.gateway.caps import Addresses, Bucket, Caps, networks
from uproar.gateway.gate import Gate
from uproar.gateway.handing.protocol import Passing
from uproar.gateway.http.protocol import BoundedHttp, Bounds
from uproar.gateway.protocol import LiveSocket
from uproar.gateway.watching.protocol import Inside
from uproar.observe.expose import CONTENT_TYPE, expose
from uproar.settings import Settings

GRACE_S = 10
UNSENT_BYTES = 32 << 10  # that the kernel holds for a connection which does not read: it lags then, and costs no more


class Server(uvicorn.Server):
    """uvicorn, but for signals: those are the house's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; raises `Misconfigured`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)  # connections inherit it
    try:
        listener.bind((host, port))
    except OSError as fault:
        listener.close()
        raise Misconfigured(f"port {port} of {host} cannot be had ({fault.strerror}); choose another.") from fault
    listener.listen(4096)
    listener.setblocking(False)
    return listener


def _server(app: Any, settings: Settings, its_caps: Caps, ws: type[Arriving] | None = None) -> Server:
    class Http(BoundedHttp):
        """Bounded as the settings say."""

        bounds = Bounds(settings.head_bytes, settings.body_bytes, settings.request_s)
        lag_close_s = settings.lag_close_s
        caps = its_caps

    config = uvicorn.Config(
        app,
        http=Http,
        ws=ws or "none",
        loop="uvloop",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    return Server(config)


def caps_of(house: House) -> Caps:
    """The caps of one port."""
    settings = house.settings
    addresses = Addresses(settings.connections_per_address)
    return Caps(addresses, networks(settings.trusted_proxies), house.metrics.connections_refused.inc)


def _door(house: House, port: int, caps: Caps, is_watched: Callable[[str], bool]) -> Door:
    settings = house.settings
    gate = Gate(replace(settings, port=port).allowed_origins(), Bucket(settings.accepts_per_s), caps)
    return Door(gate, is_watched, house.write.open_stream, house.hub.do, house.clock, house.metrics)


def _stays(house: House, port: int, caps: Caps) -> type[Arriving]:
    class Viewer(LiveSocket):
        """A viewer of this process."""

        __slots__ = ()
        door = _door(house, port, caps, house.hub.is_watched)
        inside = Inside(house.hub, house.keys, house.clock, house.metrics)
        limits = limits_of(house.settings)

    return Viewer


def _goes_on(house: House, port: int, caps: Caps, gateways: Gateways) -> type[Arriving]:
    class Viewer(Passing):
        """A viewer of one of the gateways."""

        __slots__ = ()
        door = _door(house, port, caps, gateways.is_watched)
        onward = gateways

    return Viewer


def public(house: House, port: int, caps: Caps, gateways: Gateways | None) -> Server:
    """Pages, REST and WebSocket. Viewers stay here, or go on to the gateways where there are any."""
    viewer = _goes_on(house, port, caps, gateways) if gateways else _stays(house, port, caps)
    return _server(house.app, house.settings, caps, viewer if house.settings.runs("gateway") else None)


def admin(house: House, gateways: Gateways | None) -> Server:
    """The numbers, of all processes."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        known = scope["type"] == "http" and scope["path"] == "/metrics"
        await house.note_lag()
        if gateways:
            await gateways.look()
        body = expose(house.numbers) if known else b""
        kind = CONTENT_TYPE.encode() if known else b"text/plain"
        headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200 if known else 404, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return _server(app, house.settings, caps_of(house))
