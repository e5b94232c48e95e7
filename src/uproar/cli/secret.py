"""The keys of this installation: the secret, made at first start and kept in the data directory, and a JWKS file."""

import os
import secrets
from pathlib import Path
from typing import Final

from jwt import InvalidKeyError

from uproar.auth import Identity, Keys, PublicKey, make_token, read_jwks
from uproar.core.errors import Misconfigured
from uproar.settings import SECRET_LEAST_BYTES, Settings

FILE: Final = "secret"
MADE_BYTES: Final = 48


def load_keys(settings: Settings) -> Keys:
    """What tokens may be signed with here. Makes the data directory and the secret where there is none yet."""
    return Keys(load_secret(Path(settings.data), settings.secret), read_public(settings))


def read_public(settings: Settings) -> tuple[PublicKey, ...]:
    """The public keys of the configured JWKS file; none where none is configured. Raises `Misconfigured`."""
    return read_jwks(_read(Path(settings.jwt_keys))) if settings.jwt_keys else ()


def load_secret(data: Path, configured: str = "") -> bytes:
    """The configured secret, else the one in the data directory, which is made (mode 0600) where there is none."""
    secret = configured.encode(errors="surrogateescape") or _kept(data / FILE)
    if len(secret) < SECRET_LEAST_BYTES:
        where = "The configured secret" if configured else f"The secret in {data / FILE}"
        raise Misconfigured(f"{where} has {len(secret)} bytes: it needs at least {SECRET_LEAST_BYTES}.")
    _require_no_key(secret)
    return secret


def find_secret(settings: Settings) -> bytes | None:
    """The secret, for a command that speaks to a running server: where there is none, none is made."""
    data = Path(settings.data)
    return load_secret(data, settings.secret) if settings.secret or (data / FILE).exists() else None


def require_secret(settings: Settings) -> bytes:
    """The secret of a server that has one already. Raises `Misconfigured` where there is none: none is made."""
    secret = find_secret(settings)
    if secret is None:
        raise Misconfigured(
            f"There is no secret in {settings.data}: name the server's directory with --data, or set UPROAR_SECRET."
        )
    return secret


def _kept(file: Path) -> bytes:
    if not file.exists():
        _make(file)
    if file.stat().st_mode & 0o077:
        raise Misconfigured(f"{file} is open to others on this machine: chmod 600 {file}.")
    return _read(file).strip()


def _make(file: Path) -> None:
    """A whole secret appears under its name or none does; of two that start at once, one wins and both read it."""
    draft = file.with_name(f"{FILE}.{secrets.token_hex(8)}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(draft, secrets.token_urlsafe(MADE_BYTES).encode() + b"\n")
        try:
            file.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    except OSError as fault:
        raise Misconfigured(f"The secret cannot be kept in {file.parent}: {fault.strerror}.") from fault


def _write(file: Path, content: bytes) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as fault:
        raise Misconfigured(f"{file} cannot be read: {fault.strerror}.") from fault


def _require_no_key(secret: bytes) -> None:
    """A public key's text as the secret would let anybody sign."""
    try:
        make_token(Identity("probe", "probe", exp=1), secret, now_s=0)
    except InvalidKeyError as fault:
        raise Misconfigured("The secret is a public key or a certificate: choose random bytes.") from fault
