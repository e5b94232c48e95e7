"""`uproar token`: a token for somebody, signed with this installation's secret."""

import difflib
import time
from typing import Annotated, Final

import typer

from uproar.auth import IMPORTER, Identity, Keys, identify, make_token
from uproar.cli.configuration import ConfigFlag, DataFlag, configure
from uproar.cli.secret import require_secret
from uproar.core.comment import ADMIN, CREATOR, MODERATOR
from uproar.core.errors import Misconfigured
from uproar.core.text import is_id

EVERYWHERE: Final = (ADMIN, MODERATOR, CREATOR, IMPORTER)
IN_ONE_STREAM: Final = (MODERATOR, CREATOR)
ROLES: Final = ", ".join((*EVERYWHERE, *(f"{role}@STREAM" for role in IN_ONE_STREAM)))
HOUR_S: Final = 3_600


def token(
    name: Annotated[str, typer.Option(help="The name that others see.")],
    sub: Annotated[str, typer.Option(help="The user id; made from the name where not given.")] = "",
    role: Annotated[list[str] | None, typer.Option(help=f"May be given again: {ROLES}.")] = None,
    verified: Annotated[bool, typer.Option("--verified", help="Shown with a tick, and ranked higher.")] = False,
    hours: Annotated[float, typer.Option(min=0.001, max=100_000, help="How long it holds.")] = 24,
    data: DataFlag = None,
    config: ConfigFlag = None,
) -> None:
    """Print a token. The secret is only read: the server makes it at its first start."""
    secret = require_secret(configure(config, data=data).settings)
    now_s = time.time()
    roles = tuple(_known(each) for each in role or ())
    who = Identity(sub or user_id(name), name, int(now_s + hours * HOUR_S), roles, verified)
    print(_checked(make_token(who, secret, now_s), secret, now_s))


def user_id(name: str) -> str:
    """A user id that resembles the name: `Ann Lee` -> `ann-lee`; empty where nothing of it may stand in one."""
    return "".join(character if is_id(character) else "-" for character in name.lower())[:64].strip("-")


def _known(role: str) -> str:
    base, at, stream = role.partition("@")
    if (base in IN_ONE_STREAM and is_id(stream)) if at else (base in EVERYWHERE):
        return role
    nearest = difflib.get_close_matches(base, EVERYWHERE, n=1)
    hint = f" Did you mean {nearest[0]}?" if nearest else ""
    raise Misconfigured(f"There is no role {role}: the roles are {ROLES}.{hint}")


def _checked(made: str, secret: bytes, now_s: float) -> str:
    if not isinstance(identify(made, Keys(secret), now_s), Identity):
        raise Misconfigured(
            "This token would be refused: names are 1-40 printable characters, ids (--sub) 1-64 of A-Z a-z 0-9 . _ ~ -."
        )
    return made
