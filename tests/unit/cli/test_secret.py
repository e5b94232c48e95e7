"""The keys of an installation."""

import os
import threading

import pytest

from tests.unit.keys import ED, jwks, pem, public_jwk
from uproar.cli.secret import load_keys, load_secret
from uproar.core.errors import Misconfigured
from uproar.settings import Settings


def test_the_secret_is_made_once_and_for_nobody_else(tmp_path):
    data = tmp_path / "a" / "data"
    secret = load_secret(data)
    assert len(secret) >= 32
    assert load_secret(data) == secret
    assert [file.name for file in data.iterdir()] == ["secret"]
    assert ((data / "secret").stat().st_mode & 0o777, data.stat().st_mode & 0o777) == (0o600, 0o700)
    assert load_secret(tmp_path / "b") != secret


def test_of_many_first_starts_at_once_all_have_the_same_secret(tmp_path):
    made = []
    threads = [threading.Thread(target=lambda: made.append(load_secret(tmp_path / "data"))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), len(set(made))) == (16, 1)


def test_a_configured_secret_goes_before_and_is_not_written(tmp_path):
    assert load_secret(tmp_path, "s" * 32) == b"s" * 32
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_secret_that_others_may_read_is_refused(tmp_path, mode):
    load_secret(tmp_path)
    (tmp_path / "secret").chmod(mode)
    with pytest.raises(Misconfigured, match="chmod 600"):
        load_secret(tmp_path)


@pytest.mark.parametrize("content", [b"", b"short\n"])
def test_a_secret_that_was_cut_is_refused(tmp_path, content):
    (tmp_path / "secret").touch(0o600)
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(Misconfigured, match=r"/secret has \d bytes: it needs at least 32"):
        load_secret(tmp_path)


def test_a_public_key_is_no_secret(tmp_path):
    with pytest.raises(Misconfigured, match="public key"):
        load_secret(tmp_path, pem(ED).decode())


def test_a_directory_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Misconfigured, match="cannot be kept"):
        load_secret(tmp_path / "file" / "data")


def test_configured_public_keys_are_read(tmp_path):
    (tmp_path / "keys.json").write_bytes(jwks(public_jwk(ED, kid="ed")))
    keys = load_keys(Settings(data=str(tmp_path), jwt_keys=str(tmp_path / "keys.json")))
    assert [key.kid for key in keys.public] == ["ed"]
    assert load_keys(Settings(data=str(tmp_path))) == (keys.secret, ())


def test_public_keys_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(Misconfigured, match=r"none\.json cannot be read"):
        load_keys(Settings(data=str(tmp_path), jwt_keys=str(tmp_path / "none.json")))


def test_the_secret_is_written_before_it_has_its_name(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append((tmp_path / "secret").exists()))
    load_secret(tmp_path)
    assert synced == [False]
