"""Every setting once: its name, default, bounds and sentence, and how the layers become one value."""

import difflib
import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin

from msgspec import Meta, Struct, ValidationError, convert
from msgspec.structs import FieldInfo, fields

from uproar.core.errors import Misconfigured

PREFIX: Final = "UPROAR_"
SECRET_LEAST_BYTES: Final = 32  # RFC 7518, 3.2: a key for HS256 is at least as long as its digest

Port = Annotated[int, Meta(ge=0, le=65_535)]
Count = Annotated[int, Meta(ge=1, le=10_000_000)]
Bytes = Annotated[int, Meta(ge=1_024, le=16_777_216)]
Seconds = Annotated[float, Meta(ge=0.1, le=3_600)]
WholeSeconds = Annotated[int, Meta(ge=1, le=3_600)]
Milliseconds = Annotated[int, Meta(ge=10, le=10_000)]
Comments = Annotated[int, Meta(ge=1, le=1_000)]
Role = Literal["all", "api", "gateway", "fanout", "persist"]
NEEDED: Final[tuple[Role, ...]] = ("api", "fanout", "persist")
Memory = Literal["memory:"]
Form = Literal["auto", "send", "io_uring", "python"]
Gateways = Annotated[int, Meta(ge=1, le=64)] | Literal["auto"]
Embedded = Literal["memory:", "sqlite:"]
Roles = Annotated[tuple[Role, ...], Meta(min_length=1, max_length=5)]
Texts = Annotated[tuple[str, ...], Meta(max_length=1_000)]
Hours = Annotated[float, Meta(gt=0, le=8_760)]
Two = tuple[Count, Count]
Windows = tuple[Milliseconds, Milliseconds, Milliseconds]
Frames = tuple[Comments, Comments, Comments]


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """What one installation may choose. Units are in the names; `load` is the checked way to make one."""

    host: Annotated[str, Meta(min_length=1, description="The address of the pages, REST and WebSocket.")] = "127.0.0.1"
    port: Annotated[Port, Meta(description="The port of the pages, REST and WebSocket; 0 takes a free one.")] = 8080
    admin_host: Annotated[str, Meta(min_length=1, description="The address of /metrics.")] = "127.0.0.1"
    admin_port: Annotated[Port, Meta(description="The port of /metrics; 0 takes a free one.")] = 9090
    data: Annotated[str, Meta(min_length=1, description="The directory of all that is kept.")] = "data"

    secret: Annotated[str, Meta(description="Signs HS256 tokens; empty: made at first start, in DATA/secret.")] = ""
    jwt_keys: Annotated[str, Meta(description="A JWKS file of public EdDSA or RS256 keys; empty: none.")] = ""
    origins: Annotated[Texts, Meta(description="Further origins whose pages may watch and post.")] = ()
    guests: Annotated[bool, Meta(description="Whether anyone may take a guest's name.")] = False
    open_streams: Annotated[bool, Meta(description="Whether the first post or join makes a stream.")] = False

    roles: Annotated[Roles, Meta(description="What this process runs.")] = ("all",)
    log: Annotated[Embedded, Meta(description="Where events are kept, in order.")] = "sqlite:"
    store: Annotated[Embedded, Meta(description="Where comments are kept for good.")] = "sqlite:"
    timeline: Annotated[Embedded, Meta(description="Where a stream's newest frames are kept.")] = "sqlite:"
    ledger: Annotated[Memory, Meta(description="Where limits and idempotency keys are counted.")] = "memory:"
    presence: Annotated[Memory, Meta(description="Where viewers are counted.")] = "memory:"
    log_retention_h: Annotated[Hours, Meta(description="How long the log keeps an event, at the least.")] = 24.0

    trusted_proxies: Annotated[Texts, Meta(description="Addresses or networks whose X-Forwarded-For is believed.")] = ()
    connections_per_address: Annotated[Count, Meta(description="Open connections from one address.")] = 50
    accepts_per_s: Annotated[Count, Meta(description="Viewers let in a second; the rest get 503.")] = 5_000
    guests_per_min: Annotated[Count, Meta(description="Guests from one address a minute.")] = 10
    streams_per_min: Annotated[Count, Meta(description="Streams that one address opens a minute.")] = 10
    gateway_rooms: Annotated[Count, Meta(description="Streams watched here at once; viewers of more get 503.")] = 10_000
    head_bytes: Annotated[Bytes, Meta(description="The largest request head; beyond it 431.")] = 8_192
    body_bytes: Annotated[Bytes, Meta(description="The largest request body; beyond it 413.")] = 65_536
    request_s: Annotated[Seconds, Meta(description="A head or body that is not whole by then is cut off.")] = 10.0

    message_bytes: Annotated[Bytes, Meta(description="The largest message of a viewer; beyond it 1009.")] = 8_192
    message_fragments: Annotated[Count, Meta(description="Fragments of one such message; beyond it 1009.")] = 64
    inflated_bytes: Annotated[Bytes, Meta(description="The largest such message inflated; beyond it 1009.")] = 65_536
    ping_s: Annotated[WholeSeconds, Meta(description="The time between two pings of a viewer.")] = 25
    pong_s: Annotated[WholeSeconds, Meta(description="A viewer without a pong by then is closed: 4002.")] = 10
    lag_close_s: Annotated[Seconds, Meta(description="A viewer or answer unread this long is closed: 4001.")] = 30.0
    gateways: Annotated[Gateways, Meta(description="Processes that serve viewers; 1: all in one.")] = "auto"
    sender: Annotated[Form, Meta(description="How frames leave: natively, or by Python's transports.")] = "auto"
    ring_s: Annotated[Seconds, Meta(description="How long a gateway keeps frames for who comes back.")] = 60.0
    rings_mib: Annotated[Count, Meta(description="MiB of frames that a gateway keeps for all streams, in shares.")] = (
        512
    )
    chains: Annotated[Count, Meta(description="Streams with one compression context for all; 256 KiB each.")] = 256
    drain_s: Annotated[Seconds, Meta(description="Over how long a stop spreads its viewers' return.")] = 10.0

    plan_viewers: Annotated[Two, Meta(description="From how many viewers on: middle, large row.")] = (10_000, 100_000)
    plan_comments_per_s: Annotated[Two, Meta(description="Above what rate: middle, large row.")] = (500, 2_000)
    plan_window_ms: Annotated[Windows, Meta(description="The window: small, middle, large row.")] = (100, 200, 500)
    plan_frame_comments: Annotated[Frames, Meta(description="A frame's most comments, likewise.")] = (50, 30, 20)
    plan_all_per_s: Annotated[Count, Meta(description="Up to what rate the middle row shows every comment.")] = 500
    plan_best: Annotated[Comments, Meta(description="How many the middle row shows of a window above that.")] = 100

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """All but the secret, so that no traceback tells it."""
        return [(name, shown(self, name)) for name in NAMES]

    def __repr__(self) -> str:
        """All but the secret, so that no log line tells it."""
        return f"Settings({', '.join(f'{name}={value}' for name, value in self.__rich_repr__())})"

    def runs(self, role: Role) -> bool:
        """Whether this process runs the role."""
        return "all" in self.roles or role in self.roles

    def allowed_origins(self) -> frozenset[str]:
        """The exact `Origin` values that are let in: this machine's own pages and the configured ones."""
        own = (f"http://{host}:{self.port}" for host in ("127.0.0.1", "localhost", "[::1]"))
        return frozenset((*own, *self.origins))


NAMES: Final = Settings.__struct_fields__
FIELDS: Final[Mapping[str, FieldInfo]] = {field.name: field for field in fields(Settings)}


class Line(NamedTuple):
    """A setting as the manual tells it; every field is text."""

    name: str
    environment: str
    default: str
    bounds: str
    sentence: str


class Layer(NamedTuple):
    """Values by setting name, and by setting name where each was found, for whoever has to mend it."""

    values: Mapping[str, object]
    where: Mapping[str, str]


class Loaded(NamedTuple):
    """The checked settings and, by setting name, where each value comes from (`default` where nobody said)."""

    settings: Settings
    sources: Mapping[str, str]


def load(
    file: Mapping[str, object],
    environment: Mapping[str, str],
    flags: Mapping[str, object],
    file_name: str = "uproar.toml",
) -> Loaded:
    """The settings from defaults < file < environment < flags; `Misconfigured` with one sentence otherwise.

    `environment` may hold other programs' variables; `flags` are keyed by setting name, None where not given.
    """
    layers = [_file_layer(file, file_name), _environment_layer(environment), _flag_layer(flags)]
    values: dict[str, Any] = {}
    sources = dict.fromkeys(NAMES, "default")
    for layer in layers:
        for name, value in layer.values.items():
            values[name] = _converted(name, value, layer.where[name])
            sources[name] = layer.where[name]
    settings = Settings(**values)
    _require_possible(settings)
    return Loaded(settings, sources)


def manual() -> Iterator[Line]:
    """One line a setting, in the order of the struct: for `--help`, `uproar config` and `docs/settings.md`."""
    return map(_line, FIELDS.values())


def shown(settings: Settings, name: str) -> str:
    """A setting's value as its manual line would write it; a secret's only as set or not."""
    value = getattr(settings, name)
    return ("(set)" if value else "(none)") if name == "secret" else _text(value)


def environment_name(name: str) -> str:
    """The environment variable of a setting: `admin_port` -> `UPROAR_ADMIN_PORT`."""
    return PREFIX + name.upper()


def explain(name: str) -> Line:
    """The manual's line of one setting; `Misconfigured`, with the nearest name, where there is none."""
    if name not in FIELDS:
        raise _unknown(name)
    return _line(FIELDS[name])


def _file_layer(file: Mapping[str, object], file_name: str) -> Layer:
    _require_known(file, f" in {file_name}")
    return Layer(file, dict.fromkeys(file, file_name))


def _environment_layer(environment: Mapping[str, str]) -> Layer:
    ours = {key: value for key, value in environment.items() if key.startswith(PREFIX)}
    by_name = {key.removeprefix(PREFIX).lower(): key for key in ours}
    _require_known(by_name, " in the environment", environment_name)
    return Layer({name: ours[key] for name, key in by_name.items()}, by_name)


def _flag_layer(flags: Mapping[str, object]) -> Layer:
    given = {name: value for name, value in flags.items() if value is not None}
    _require_known(given, " on the command line", _flag)
    return Layer(given, {name: _flag(name) for name in given})


def _require_known(names: Iterable[str], where: str, written: Callable[[str], str] = str) -> None:
    strange = next((name for name in names if name not in FIELDS), None)
    if strange is not None:
        raise _unknown(strange, where, written)


def _unknown(name: str, where: str = "", written: Callable[[str], str] = str) -> Misconfigured:
    nearest = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.5)
    hint = f"; did you mean {written(nearest[0])}?" if nearest else "."
    return Misconfigured(f"There is no setting {written(name)}{where}{hint}")


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _converted(name: str, value: object, where: str) -> object:
    hint = FIELDS[name].type
    try:
        converted: object = convert(_read(value, hint), hint, strict=False)
    except ValidationError:
        told = "that value" if name == "secret" else repr(value)
        raise Misconfigured(f"{name} cannot be {told} ({where}): it is {explain(name).bounds}.") from None
    return converted


SWITCH: Final = dict.fromkeys(("on", "yes", "true", "1"), True) | dict.fromkeys(("off", "no", "false", "0"), False)


def _read(value: object, hint: Any) -> object:
    """Text as its setting's kind is written in an environment variable; anything else as it is."""
    if not isinstance(value, str):
        return value
    kind = _bare(hint)
    if kind is bool:
        return SWITCH.get(value.strip().lower(), value)
    if get_origin(kind) is tuple:
        return [part.strip() for part in value.split(",") if part.strip()]
    return value.strip()


def _require_possible(settings: Settings) -> None:
    fault = next(filter(None, (check(settings) for check in CHECKS)), None)
    if fault:
        raise Misconfigured(fault)


def _long_secret(settings: Settings) -> str | None:
    size = len(settings.secret.encode(errors="surrogateescape"))
    if settings.secret and size < SECRET_LEAST_BYTES:
        return f"secret has {size} bytes: it needs at least {SECRET_LEAST_BYTES}."
    return None


def _two_ports(settings: Settings) -> str | None:
    if settings.port and (settings.host, settings.port) == (settings.admin_host, settings.admin_port):
        return f"port and admin_port are both {settings.port}: they need two."
    return None


def _origins_exact(settings: Settings) -> str | None:
    wrong = next((origin for origin in settings.origins if not _is_origin(origin)), None)
    return f"origins cannot hold {wrong!r}: an origin is scheme://host or scheme://host:port." if wrong else None


def _proxies_are_networks(settings: Settings) -> str | None:
    wrong = next((text for text in settings.trusted_proxies if not _is_network(text)), None)
    return f"trusted_proxies cannot hold {wrong!r}: it takes addresses and networks." if wrong else None


def _timeline_outlives_no_log(settings: Settings) -> str | None:
    # A kept timeline remembers the log's offsets, and a log in memory begins again at the first.
    if settings.log == "memory:" and settings.timeline != "memory:":
        return "timeline must be memory: when log is memory:, which forgets its offsets at the end."
    return None


def _roles_suffice(settings: Settings) -> str | None:
    # Every kind is this process's own: no other one could show or store what is posted here.
    lacking = [role for role in NEEDED if not settings.runs(role)]
    return f"roles lacks {' and '.join(lacking)}, which no other process can run on these kinds." if lacking else None


def _plan_rises(settings: Settings) -> str | None:
    for name in ("plan_viewers", "plan_comments_per_s"):
        middle, large = getattr(settings, name)
        if middle >= large:
            return f"{name} cannot be {middle},{large}: the large row begins above the middle one."
    return None


def _pong_before_next_ping(settings: Settings) -> str | None:
    if settings.pong_s > settings.ping_s:
        return f"pong_s cannot be {settings.pong_s}: a pong is due by the next ping, after ping_s {settings.ping_s}."
    return None


def _ring_outlasts_windows(settings: Settings) -> str | None:
    if settings.ring_s * 1_000 < 2 * max(settings.plan_window_ms):
        return "ring_s is shorter than two windows of plan_window_ms: nobody could come back."
    return None


CHECKS: Final[tuple[Callable[[Settings], str | None], ...]] = (
    _long_secret,
    _two_ports,
    _origins_exact,
    _proxies_are_networks,
    _timeline_outlives_no_log,
    _roles_suffice,
    _plan_rises,
    _pong_before_next_ping,
    _ring_outlasts_windows,
)


def _is_origin(text: str) -> bool:
    scheme, slashes, host = text.partition("://")
    return bool(slashes) and scheme in ("http", "https") and bool(host) and not set(host) & set("/?#@* ,")


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _line(field: FieldInfo) -> Line:
    sentence = next(meta.description for meta in _metas(field.type) if meta.description)
    return Line(field.name, environment_name(field.name), _text(field.default), _bounds(field.type), sentence)


def _bounds(hint: Any) -> str:
    """What a value may be, in words: `a whole number from 0 to 65535`."""
    kind = _bare(hint)
    if kind is bool:
        return "on or off"
    if kind is str:
        return "text, not empty" if any(meta.min_length for meta in _metas(hint)) else "text"
    if get_origin(kind) is Literal:
        return " or ".join(get_args(kind))
    if get_origin(kind) is tuple:
        return _tuple_bounds(get_args(kind))
    if get_origin(kind) is Union:
        return " or ".join(map(_bounds, get_args(kind)))
    low = next(f"from {meta.ge}" if meta.ge is not None else f"above {meta.gt}" for meta in _metas(hint) if meta.le)
    high = next(meta.le for meta in _metas(hint) if meta.le)
    return f"a {'whole ' if kind is int else ''}number {low} to {high}"


def _tuple_bounds(items: tuple[Any, ...]) -> str:
    if items[-1] is Ellipsis:
        return f"comma-separated, each {_bounds(items[0])}"
    return f"{len(items)}, comma-separated, each {_bounds(items[0])}"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _metas(hint: Any) -> tuple[Meta, ...]:
    return tuple(part for part in get_args(hint)[1:] if isinstance(part, Meta))


def _bare(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint
