"""docs/protocol.md, from the messages, refusals and close codes as the code has them."""

from collections.abc import Iterable
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from msgspec import NODEFAULT, Struct, UnsetType
from msgspec.structs import FieldInfo, fields

from uproar.cli.rest_page import rest
from uproar.cli.tables import MADE, table
from uproar.core.comment import User
from uproar.core.refusal import Refusal
from uproar.wire.closes import Close
from uproar.wire.frames import FromServer, FromViewer, PosterRules, Shown, ShownParent

WORDS: Final = {str: "text", int: "integer", float: "number", bool: "true or false"}
ABSENT: Final = (NoneType, UnsetType)
PARTS: Final[dict[type[Struct], str]] = {
    Shown: "Comment",
    ShownParent: "Parent",
    User: "User",
    PosterRules: "PosterRules",
}


def protocol_page() -> str:
    """docs/protocol.md."""
    return f"""# The protocol, version 1

{MADE}

UTF-8 JSON throughout. Ids and positions are strings; times are integer milliseconds since 1970 (UTC). Clients ignore
fields they do not know; the server refuses them (310).

Over WebSocket batches may come deflated (RFC 7692). A client that offers `permessage-deflate` without
`server_no_context_takeover` inflates all messages of its connection with one inflater, as browsers do: batches refer to
those before them. All other messages come as they are.

## Messages of the server

By `type`, over WebSocket and server-sent events.

{sections(get_args(FromServer))}
## Messages of a viewer

By `op`, over WebSocket.

{sections(get_args(FromViewer))}
## Parts of messages

{sections(PARTS)}
{rest({struct.__name__: _title(struct) for struct in (*get_args(FromServer), *PARTS)})}
## Refusals

1xx is about the user, 2xx the text, 3xx the stream, 5xx us. `again` tells whether the same can succeed later.

{table(("code", "reason", "HTTP status", "again", "message"), map(_refusal_row, Refusal))}
## Close codes

After 1009 and 4000-4499 come back; after 4500-4999 do not.

{table(("code", "reason"), map(_close_row, Close))}"""


def sections(structs: Iterable[type[Struct]]) -> str:
    """A section for each struct: its name in the protocol, its sentence, its fields."""
    return "\n".join(map(_section, structs))


def words(hint: Any) -> str:
    """A type as a reader of JSON knows it: `dict[str, int]` -> `map of text to integer`."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return words(parts[0])
    if origin is Literal:
        return " or ".join(f"`{part}`" for part in parts)
    if origin in (Union, UnionType):
        return " or ".join(words(part) for part in parts if part not in ABSENT)
    if origin is dict:
        return f"map of {words(parts[0])} to {words(parts[1])}"
    if origin in (tuple, list):
        return f"list of {words(parts[0])}"
    return f"`{PARTS[hint]}`" if hint in PARTS else WORDS[hint]


def _section(struct: type[Struct]) -> str:
    rows = [_field_row(field) for field in fields(struct)]
    return f"### `{_title(struct)}`\n\n{struct.__doc__}\n\n{table(('field', 'kind', 'may be absent'), rows)}"


def _title(struct: type[Struct]) -> str:
    return PARTS.get(struct) or str(struct.__struct_config__.tag)


def _field_row(field: FieldInfo) -> Iterable[str]:
    required = field.default is NODEFAULT and field.default_factory is NODEFAULT
    return f"`{field.encode_name}`", words(field.type), "" if required else "yes"


def _refusal_row(refusal: Refusal) -> Iterable[str]:
    return (
        str(refusal.code),
        f"`{refusal.reason}`",
        str(refusal.status),
        "yes" if refusal.again else "no",
        refusal.message,
    )


def _close_row(close: Close) -> Iterable[str]:
    return str(int(close)), close.reason
