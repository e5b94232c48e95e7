"""Who somebody is: a token's bytes and the installation's keys become an identity, or the reason why not."""

from collections.abc import Iterable
from typing import Annotated, Any, Final, NamedTuple

import jwt
import msgspec
from msgspec import Meta, Struct

from uproar.core.comment import ADMIN, CREATOR, MODERATOR, User
from uproar.core.errors import Misconfigured
from uproar.core.refusal import Refusal
from uproar.core.text import is_id, name_fault, normalize

TOKEN_BYTES: Final = 4_096
SKEW_S: Final = 60
"""How far the clock of whoever makes tokens may be ahead of ours. No token outlives its `exp`."""
PUBLIC_KEYS: Final = 32
RSA_LEAST_BITS: Final = 2_048  # RFC 7518, 3.3
IMPORTER: Final = "importer"

SHARED_ALGORITHM: Final = "HS256"
PUBLIC_ALGORITHMS: Final = {"RSA": "RS256", "OKP": "EdDSA"}
"""By the key's type. A key is used with its own algorithm alone, whatever a token asks for (RFC 8725, 3.1)."""

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_JWS: Final = jwt.PyJWS()
_TOKEN_ALPHABET: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")

Time = Annotated[float, Meta(ge=0, le=253_402_300_799)]  # up to the year 9999
RoleName = Annotated[str, Meta(min_length=1, max_length=80)]


class PublicKey(NamedTuple):
    """A configured key: its id (empty: none) and the one algorithm it is used with."""

    kid: str
    algorithm: str
    key: Any


class Keys(NamedTuple):
    """What tokens may be signed with: the installation's secret and configured public keys."""

    secret: bytes
    public: tuple[PublicKey, ...] = ()

    def __repr__(self) -> str:
        """Without the secret."""
        return f"Keys({len(self.public)} public)"


class Identity(Struct, frozen=True):
    """Who a token speaks for; `since` and `exp` are seconds since 1970. `creator` is the stream's field, or empty."""

    id: str
    name: str
    exp: int
    roles: tuple[str, ...] = ()
    verified: bool = False
    since: int | None = None

    @property
    def is_admin(self) -> bool:
        """May do everything."""
        return ADMIN in self.roles

    @property
    def is_importer(self) -> bool:
        """A replay or bridge: no limits, slow mode, age or repeat check."""
        return IMPORTER in self.roles

    def expired(self, now_s: float) -> bool:
        """Whether the token has ended."""
        return now_s >= self.exp

    def creates(self, stream: str, creator: str) -> bool:
        """Whether this is the stream's creator, by its field or by the role `creator@stream`."""
        return creator == self.id or f"{CREATOR}@{stream}" in self.roles

    def moderates(self, stream: str, creator: str) -> bool:
        """Whether this may remove, pin and ban in the stream: a moderator of it, its creator, an admin."""
        return self.is_admin or self._keeps_order(stream) or self.creates(stream, creator)

    def may_change(self, stream: str, creator: str) -> bool:
        """Whether this may make or change the stream; one without a creator is taken by whoever may create streams."""
        return self.is_admin or self.creates(stream, creator) or (not creator and CREATOR in self.roles)

    def user_in(self, stream: str, creator: str) -> User:
        """This person as the stream's viewers see them, with the roles held there."""
        held = {CREATOR: self.creates(stream, creator), MODERATOR: self._keeps_order(stream), ADMIN: self.is_admin}
        return User(self.id, self.name, tuple(role for role in held if held[role]), self.verified)

    def _keeps_order(self, stream: str) -> bool:
        return MODERATOR in self.roles or f"{MODERATOR}@{stream}" in self.roles


class Claims(Struct, omit_defaults=True):
    """What we read of a token. Other claims are other programs' business."""

    sub: str
    name: str
    exp: Time
    nbf: Time = 0
    iat: Time = 0
    roles: Annotated[tuple[RoleName, ...], Meta(max_length=32)] = ()
    verified: bool = False
    since: Time | None = None


def bearer(header: str | None) -> str | None:
    """The token of an `Authorization` header: None without one, empty where it is of another kind."""
    if header is None:
        return None
    scheme, _, token = header.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def identify(token: str | None, keys: Keys, now_s: float) -> Identity | Refusal:
    """Who the token speaks for at `now_s` (seconds since 1970); 101 without a token, 102 for one that does not hold."""
    if token is None:
        return Refusal.NOT_SIGNED_IN
    if len(token) > TOKEN_BYTES:
        return Refusal.BAD_TOKEN
    claims = _claims(signed_payload(token, keys))
    if claims is None or not _timely(claims, now_s):
        return Refusal.BAD_TOKEN
    return _identity(claims) or Refusal.BAD_TOKEN


def signed_payload(token: str, keys: Keys) -> bytes | None:
    """What a compact JWS (RFC 7515) carries if one of the keys has signed it, else None. No extension is known."""
    if not _TOKEN_ALPHABET.issuperset(token):
        return None
    try:
        header = _JWS.get_unverified_header(token)
        key = _key_for(header, keys)
        if key is None or "crit" in header or "b64" in header:
            return None
        payload: bytes = _JWS.decode(token, key.key, algorithms=[key.algorithm])
    except (jwt.PyJWTError, ValueError, RecursionError):
        return None
    return payload


def make_token(identity: Identity, secret: bytes, now_s: float) -> str:
    """A token for the identity, signed with the installation's secret, good from `now_s` until `identity.exp`."""
    claims = Claims(
        sub=identity.id,
        name=identity.name,
        exp=identity.exp,
        iat=int(now_s),
        roles=identity.roles,
        verified=identity.verified,
        since=identity.since,
    )
    return _JWS.encode(msgspec.json.encode(claims), secret, SHARED_ALGORITHM)


def read_jwks(text: bytes) -> tuple[PublicKey, ...]:
    """The usable keys of a JWKS document (RFC 7517), 32 at most; `Misconfigured` where none is, or one is private."""
    try:
        found = msgspec.json.decode(text, type=dict[str, Any]).get("keys")
    except UNREADABLE:
        found = None
    if not isinstance(found, list) or len(found) > PUBLIC_KEYS:
        raise Misconfigured(f"jwt_keys is no JWKS document with 1 to {PUBLIC_KEYS} keys.")
    keys = tuple(key for jwk in found if isinstance(jwk, dict) and (key := _public_key(jwk)))
    if not keys:
        raise Misconfigured("jwt_keys holds no EdDSA or RS256 key for signatures.")
    return keys


def write_jwks(keys: Iterable[PublicKey]) -> bytes:
    """Keys that `read_jwks` gave as a document that it reads; empty for none."""
    found = [_jwk(key) for key in keys]
    return msgspec.json.encode({"keys": found}) if found else b""


def _jwk(key: PublicKey) -> dict[str, Any]:
    algorithm = jwt.get_algorithm_by_name(key.algorithm)
    return algorithm.to_jwk(key.key, as_dict=True) | {"kid": key.kid, "alg": key.algorithm, "use": "sig"}


def _key_for(header: dict[str, Any], keys: Keys) -> PublicKey | None:
    """The one key that may have signed under this header; where it names none, a lone key of its algorithm."""
    algorithm, kid = header.get("alg"), header.get("kid", "")
    if algorithm == SHARED_ALGORITHM:
        return PublicKey("", SHARED_ALGORITHM, keys.secret)
    fitting = [key for key in keys.public if key.algorithm == algorithm and kid in ("", key.kid)]
    return fitting[0] if len(fitting) == 1 else None


def _claims(payload: bytes | None) -> Claims | None:
    try:
        return None if payload is None else msgspec.json.decode(payload, type=Claims)
    except UNREADABLE:
        return None


def _timely(claims: Claims, now_s: float) -> bool:
    return max(claims.nbf, claims.iat) - SKEW_S <= now_s < claims.exp


def _identity(claims: Claims) -> Identity | None:
    name = normalize(claims.name)
    if not is_id(claims.sub) or name_fault(name):
        return None
    since = None if claims.since is None else int(claims.since)
    return Identity(claims.sub, name, int(claims.exp), claims.roles, claims.verified, since)


def _public_key(jwk: dict[str, Any]) -> PublicKey | None:
    if "d" in jwk:
        raise Misconfigured("jwt_keys holds a private key: give the public ones alone.")
    algorithm = PUBLIC_ALGORITHMS.get(str(jwk.get("kty")))
    if algorithm is None or jwk.get("alg", algorithm) != algorithm or not _is_for_signatures(jwk):
        return None
    try:
        key = jwt.PyJWK(jwk, algorithm).key
    except (jwt.PyJWTError, ValueError):
        return None
    if algorithm == "RS256" and key.key_size < RSA_LEAST_BITS:
        raise Misconfigured(f"jwt_keys holds an RSA key of {key.key_size} bits: {RSA_LEAST_BITS} is the least.")
    return PublicKey(str(jwk.get("kid", "")), algorithm, key)


def _is_for_signatures(jwk: dict[str, Any]) -> bool:
    operations = jwk.get("key_ops")
    return jwk.get("use", "sig") == "sig" and (not isinstance(operations, list) or "verify" in operations)
