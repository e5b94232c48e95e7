"""Who a token speaks for, and every token that speaks for nobody."""

import base64
import hashlib
import hmac
import json
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.keys import ED, RSA, jwks, pem, public_jwk
from uproar.auth import Identity, Keys, bearer, identify, make_token, read_jwks, signed_payload, write_jwks
from uproar.core.comment import User
from uproar.core.errors import Misconfigured
from uproar.core.refusal import Refusal

NOW = 1_763_800_000
SECRET = b"s" * 32
GOOD = {"sub": "ann", "name": "Ann", "exp": NOW + 60}
STRANGER = ed25519.Ed25519PrivateKey.generate()
KEYS = Keys(SECRET, read_jwks(jwks(public_jwk(ED, kid="ed"), public_jwk(RSA, kid="rsa"))))


def signed(payload, key=SECRET, algorithm="HS256", **headers):
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return jwt.PyJWS().encode(raw, key, algorithm, headers)


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unsigned(header, payload=GOOD, signature=b""):
    return f"{b64(json.dumps(header).encode())}.{b64(json.dumps(payload).encode())}.{b64(signature)}"


def forged(algorithm, secret, **headers):
    """HMAC by hand, under a header that a library would not write."""
    head = unsigned({"alg": algorithm, **headers}).rsplit(".", 1)[0]
    return f"{head}.{b64(hmac.new(secret, head.encode(), hashlib.sha256).digest())}"


def raw_ed():
    return ED.public_key().public_bytes_raw()


GOOD_CLAIMS = {
    "the least there is": {},
    "an exp far away": {"exp": NOW + 10**9},
    "an exp with a fraction": {"exp": NOW + 1.5},
    "a clock that is a minute ahead": {"iat": NOW + 60, "nbf": NOW + 60},
    "an old token that still holds": {"iat": NOW - 10**8},
    "the longest id": {"sub": "a" * 64},
    "every character of an id": {"sub": "aZ09._~-"},
    "the longest name": {"name": "n" * 40},
    "a name in another script": {"name": "安娜 👩‍🚀"},
    "a name with space around": {"name": "  Ann "},
    "no roles": {"roles": []},
    "as many roles as there may be": {"roles": ["r"] * 32},
    "a role we do not know": {"roles": ["editor@elsewhere"]},
    "verified": {"verified": True},
    "since long ago": {"since": 0},
    "claims of others": {"aud": ["x"], "iss": "y", "jti": 3, "email": None},
}


@pytest.mark.parametrize("change", GOOD_CLAIMS.values(), ids=GOOD_CLAIMS)
def test_a_token_with_good_claims_is_somebody(change):
    claims = GOOD | change
    who = identify(signed(claims), KEYS, NOW)
    assert isinstance(who, Identity)
    assert (who.id, who.name, who.exp) == (claims["sub"], claims["name"].strip(), int(claims["exp"]))
    assert who.roles == tuple(claims.get("roles", ()))
    assert who.verified is claims.get("verified", False)
    assert who.since == claims.get("since")


@pytest.mark.parametrize(
    ("key", "algorithm", "headers"),
    [
        (SECRET, "HS256", {}),
        (SECRET, "HS256", {"kid": "whatever"}),
        (ED, "EdDSA", {"kid": "ed"}),
        (ED, "EdDSA", {}),
        (RSA, "RS256", {"kid": "rsa"}),
        (RSA, "RS256", {}),
        (RSA, "RS256", {"kid": "rsa", "typ": "at+jwt", "jku": "http://localhost/", "x5c": ["x"]}),
    ],
)
def test_a_token_by_each_key_with_its_own_algorithm_is_somebody(key, algorithm, headers):
    assert isinstance(identify(signed(GOOD, key, algorithm, **headers), KEYS, NOW), Identity)


def without(name):
    return {key: value for key, value in GOOD.items() if key != name}


BAD_CLAIMS = {
    "no sub": without("sub"),
    "no name": without("name"),
    "no exp": without("exp"),
    "ended a moment ago": GOOD | {"exp": NOW},
    "ended long ago": GOOD | {"exp": 0},
    "an exp before time": GOOD | {"exp": -1},
    "an exp after time": GOOD | {"exp": 10**300},
    "an exp of text": GOOD | {"exp": str(NOW + 60)},
    "an exp of null": GOOD | {"exp": None},
    "an exp of true": GOOD | {"exp": True},
    "an exp in a list": GOOD | {"exp": [NOW + 60]},
    "not before more than a minute": GOOD | {"nbf": NOW + 61},
    "made more than a minute from now": GOOD | {"iat": NOW + 61},
    "an nbf of text": GOOD | {"nbf": "now"},
    "an iat of text": GOOD | {"iat": "now"},
    "an empty sub": GOOD | {"sub": ""},
    "a long sub": GOOD | {"sub": "a" * 65},
    "a sub with a slash": GOOD | {"sub": "a/b"},
    "a sub with a space": GOOD | {"sub": "a b"},
    "a sub of another script": GOOD | {"sub": "аnn"},
    "a sub that is a number": GOOD | {"sub": 7},
    "a sub with a line break": GOOD | {"sub": "ann\n"},
    "an empty name": GOOD | {"name": ""},
    "a blank name": GOOD | {"name": " \u2003"},
    "a long name": GOOD | {"name": "n" * 41},
    "a name that turns the text around": GOOD | {"name": "Ann\u202egnp"},
    "a name with a zero byte": GOOD | {"name": "Ann\0"},
    "a name that is a number": GOOD | {"name": 7},
    "roles in one text": GOOD | {"roles": "admin"},
    "roles in a map": GOOD | {"roles": {"admin": True}},
    "a role that is a number": GOOD | {"roles": [1]},
    "too many roles": GOOD | {"roles": ["r"] * 33},
    "a role too long": GOOD | {"roles": ["r" * 81]},
    "an empty role": GOOD | {"roles": [""]},
    "verified by a text": GOOD | {"verified": "true"},
    "verified by a number": GOOD | {"verified": 1},
    "since a text": GOOD | {"since": "2020"},
    "since before time": GOOD | {"since": -1},
    "a list": [GOOD],
    "a text": "ann",
    "null": None,
    "nothing": b"",
    "half an object": b'{"sub": "ann"',
    "two objects": json.dumps(GOOD).encode() * 2,
    "a lone surrogate": b'{"sub": "ann", "name": "\\ud800", "exp": 1763800060}',
    "bytes that are not UTF-8": b'{"sub": "ann", "name": "\xff", "exp": 1763800060}',
    "NaN": b'{"sub": "ann", "name": "Ann", "exp": NaN}',
    "infinity": b'{"sub": "ann", "name": "Ann", "exp": 1e999}',
    "lists without an end": b'{"sub": "ann", "name": "Ann", "exp": 1763800060, "x": ' + b"[" * 2_000,
}


@pytest.mark.parametrize("payload", BAD_CLAIMS.values(), ids=BAD_CLAIMS)
def test_a_token_with_bad_claims_is_nobody(payload):
    assert identify(signed(payload), KEYS, NOW) is Refusal.BAD_TOKEN


BAD_FORMS = {
    "nothing": "",
    "dots": "..",
    "one part": "abc",
    "two parts": signed(GOOD).rsplit(".", 1)[0],
    "four parts": signed(GOOD) + ".x",
    "no signature": signed(GOOD).rsplit(".", 1)[0] + ".",
    "a cut signature": signed(GOOD)[:-2],
    "a padded signature": signed(GOOD) + "=",
    "a space at the end": signed(GOOD) + " ",
    "a line break inside": signed(GOOD).replace(".", ".\n", 1),
    "another payload": ".".join([signed(GOOD).split(".")[0], signed(GOOD | {"sub": "bob"}).split(".")[1], "AAAA"]),
    "the longest and one more": signed(GOOD | {"aud": "x" * 4_096}),
    "a header that is a list": unsigned(["HS256"]),
    "a header without alg": unsigned({"typ": "JWT"}),
    "a header of deep lists": b64(b"[" * 2_000) + ".e30.AAAA",
    "a letter beyond ASCII": signed(GOOD).replace("e", "е", 1),
    "a lone surrogate": "\ud800.a.b",
    "alg none": unsigned({"alg": "none"}),
    "alg None": unsigned({"alg": "None"}),
    "alg null": unsigned({"alg": None}),
    "alg in a list": unsigned({"alg": ["HS256"]}),
    "alg empty": unsigned({"alg": ""}),
    "another secret": signed(GOOD, b"t" * 32),
    "HS384": signed(GOOD, SECRET * 2, "HS384"),
    "HS512": signed(GOOD, SECRET * 2, "HS512"),
    "RS384": signed(GOOD, RSA, "RS384", kid="rsa"),
    "PS256": signed(GOOD, RSA, "PS256", kid="rsa"),
    "ES256": signed(GOOD, ec.generate_private_key(ec.SECP256R1()), "ES256", kid="ed"),
    "HMAC with the RSA key's PEM": forged("HS256", pem(RSA)),
    "HMAC with the Ed25519 key's bytes": forged("HS256", raw_ed()),
    "HMAC called RS256": forged("RS256", pem(RSA)),
    "HMAC called EdDSA": forged("EdDSA", raw_ed()),
    "HMAC with nothing": forged("HS256", b""),
    "a stranger's key under a known kid": signed(GOOD, STRANGER, "EdDSA", kid="ed"),
    "a known key under a strange kid": signed(GOOD, ED, "EdDSA", kid="other"),
    "a known key under the other's kid": signed(GOOD, ED, "EdDSA", kid="rsa"),
    "a key it brings itself": signed(GOOD, STRANGER, "EdDSA", jwk=public_jwk(STRANGER)),
    "crit with what nobody knows": signed(GOOD, crit=["x"], x=1),
    "crit with b64": signed(GOOD, crit=["b64"]),
    "crit empty": forged("HS256", SECRET, crit=[]),
    "b64 true": forged("HS256", SECRET, b64=True),
    "a payload that is not encoded": jwt.PyJWS().encode(b"e30", SECRET, "HS256", {"b64": False}),
}


@pytest.mark.parametrize("token", BAD_FORMS.values(), ids=BAD_FORMS)
def test_a_token_in_a_bad_form_is_nobody(token):
    assert identify(token, KEYS, NOW) is Refusal.BAD_TOKEN


def test_a_token_by_hand_would_do():
    assert isinstance(identify(forged("HS256", SECRET), KEYS, NOW), Identity)


def test_no_token_is_another_answer_than_a_bad_one():
    assert identify(None, KEYS, NOW) is Refusal.NOT_SIGNED_IN


def test_without_configured_keys_only_the_secret_signs():
    keys = Keys(SECRET)
    assert isinstance(identify(signed(GOOD), keys, NOW), Identity)
    assert identify(signed(GOOD, ED, "EdDSA", kid="ed"), keys, NOW) is Refusal.BAD_TOKEN


def test_of_two_keys_with_one_algorithm_a_token_must_name_its_own():
    keys = Keys(SECRET, read_jwks(jwks(public_jwk(ED, kid="a"), public_jwk(STRANGER, kid="b"))))
    assert identify(signed(GOOD, ED, "EdDSA"), keys, NOW) is Refusal.BAD_TOKEN
    assert isinstance(identify(signed(GOOD, STRANGER, "EdDSA", kid="b"), keys, NOW), Identity)


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: "e30." + b64(raw) + ".x"))
def test_no_text_at_all_is_somebody_by_chance(text):
    assert identify(text, KEYS, NOW) is Refusal.BAD_TOKEN


IDENTITIES = st.builds(
    Identity,
    id=st.text("azAZ09._~-", min_size=1, max_size=64),
    name=st.text("abc äöü安", min_size=1, max_size=40).filter(lambda name: name == name.strip()),
    exp=st.integers(NOW + 1, NOW + 10**9),
    roles=st.lists(st.sampled_from(["admin", "moderator", "creator@s1", "importer"]), max_size=4).map(tuple),
    verified=st.booleans(),
    since=st.none() | st.integers(0, NOW),
)


@given(IDENTITIES)
def test_a_made_token_tells_who_it_was_made_for_until_it_ends(identity):
    token = make_token(identity, SECRET, NOW)
    assert identify(token, KEYS, NOW) == identity
    assert identify(token, KEYS, identity.exp) is Refusal.BAD_TOKEN
    assert not identity.expired(identity.exp - 1)
    assert identity.expired(identity.exp)


def ann(*roles):
    return Identity("ann", "Ann", NOW, roles)


@pytest.mark.parametrize(
    ("roles", "creator", "creates", "moderates", "may_change"),
    [
        ((), "", False, False, False),
        ((), "ann", True, True, True),
        ((), "bob", False, False, False),
        (("admin",), "bob", False, True, True),
        (("moderator",), "bob", False, True, False),
        (("moderator@s1",), "bob", False, True, False),
        (("moderator@s2",), "bob", False, False, False),
        (("creator",), "", False, False, True),
        (("creator",), "bob", False, False, False),
        (("creator@s1",), "", True, True, True),
        (("creator@s1",), "bob", True, True, True),
        (("creator@s2",), "", False, False, False),
        (("importer",), "", False, False, False),
        (("Admin", "admin@s1", "moderator@", "creator@"), "bob", False, False, False),
    ],
)
def test_roles(roles, creator, creates, moderates, may_change):
    who = ann(*roles)
    assert who.creates("s1", creator) is creates
    assert who.moderates("s1", creator) is moderates
    assert who.may_change("s1", creator) is may_change


def test_a_user_shows_the_roles_held_in_the_stream_alone():
    assert ann("moderator@s1", "creator@s2").user_in("s1", "") == User("ann", "Ann", ("moderator",))
    assert ann("moderator@s1", "importer").user_in("s2", "ann") == User("ann", "Ann", ("creator",))


def test_only_importers_and_admins_are_such():
    assert (ann("importer").is_importer, ann("admin").is_importer) == (True, False)
    assert (ann("admin").is_admin, ann("importer").is_admin) == (True, False)


@pytest.mark.parametrize(
    ("header", "token"),
    [
        (None, None),
        ("Bearer a.b.c", "a.b.c"),
        ("bearer  a.b.c ", "a.b.c"),
        ("Bearer", ""),
        ("Basic a.b.c", ""),
        ("", ""),
        ("a.b.c", ""),
    ],
)
def test_bearer(header, token):
    assert bearer(header) == token


def test_keys_of_no_use_here_are_passed_over():
    mixed = [
        public_jwk(ED, kid="enc", use="enc"),
        public_jwk(ED, kid="ops", key_ops=["encrypt"]),
        public_jwk(RSA, kid="pss", alg="PS256"),
        {"kty": "oct", "k": b64(SECRET), "kid": "shared"},
        {"kty": "OKP", "crv": "Ed25519", "x": "AA", "kid": "cut"},
        7,
        public_jwk(ED, kid="ed"),
    ]
    assert [(key.kid, key.algorithm) for key in read_jwks(jwks(*mixed))] == [("ed", "EdDSA")]


BAD_SETS = {
    "nothing": b"",
    "a list": b"[]",
    "no keys": b"{}",
    "keys in a map": b'{"keys": {}}',
    "an empty list of keys": jwks(),
    "no key for signatures": jwks(public_jwk(ED, use="enc")),
    "too many keys": jwks(*[public_jwk(ED)] * 33),
    "a private key": jwks({**public_jwk(ED), "d": "AAAA"}),
    "a short key": jwks(public_jwk(rsa.generate_private_key(public_exponent=65_537, key_size=1_024))),
    "bytes that are not UTF-8": b'{"keys": ["\xff"]}',
}


def test_keys_that_are_written_are_read_again():
    token = jwt.encode({"sub": "ann", "name": "Ann", "exp": NOW + 60}, RSA, "RS256", headers={"kid": "rsa"})
    again = Keys(SECRET, read_jwks(write_jwks(KEYS.public)))
    assert [key[:2] for key in again.public] == [key[:2] for key in KEYS.public]
    assert identify(token, again, NOW) == identify(token, KEYS, NOW) != Refusal.BAD_TOKEN
    assert write_jwks(()) == b""


@pytest.mark.parametrize("text", BAD_SETS.values(), ids=BAD_SETS)
def test_a_set_of_keys_that_cannot_work_is_refused(text):
    with pytest.raises(Misconfigured, match="jwt_keys"):
        read_jwks(text)


def test_keys_do_not_tell_the_secret():
    assert "ssss" not in repr(KEYS)


# The vectors -------------------------------------------------------------------------------------------------------

VECTORS = Path(__file__).parents[3] / "shared/data/corpora/wycheproof-json_web_signature_test.json"
BROKEN_VECTORS = {
    # Marked invalid for a padding that the file has lost: the bytes are those of an earlier valid case.
    "invalidBase64Padding",
    "invalidBase64PaddingInPayload",
    # Marked valid, but with a "?" inside the base64url: RFC 7515 allows no such character.
    "InvalidCharacterInsertedInHeader",
    "InvalidCharacterInsertedInPayload",
}


def vector_keys(group):
    if group["private"]["kty"] == "oct":
        raw = group["private"]["k"]
        return Keys(base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4)))
    try:
        return Keys(SECRET, read_jwks(jwks(group["public"])))
    except Misconfigured:
        return Keys(SECRET)


@pytest.mark.skipif(not (Path(__file__).parents[3] / "shared").exists(), reason="the shared data are not here")
def test_the_published_signature_vectors_are_judged_as_they_say():
    wrong, judged = [], 0
    for group in json.loads(VECTORS.read_text())["testGroups"]:
        ours = group["private"].get("alg") in ("HS256", "RS256", "EdDSA")
        for case in group["tests"]:
            if case["comment"] in BROKEN_VECTORS:
                continue
            judged += 1
            expected = ours and case["result"] == "valid"
            token = case["jws"]
            accepted = isinstance(token, str) and signed_payload(token, vector_keys(group)) is not None
            if accepted is not expected:
                wrong.append((case["tcId"], case["comment"], case["result"]))
    assert (wrong, judged) == ([], 397)
