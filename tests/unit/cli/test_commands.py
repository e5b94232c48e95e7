"""What the commands say, and how they end."""

import fcntl
import socket
import subprocess
import sys
import time
from importlib.metadata import version

import apsw
import pytest

from uproar.auth import Identity, Keys, identify
from uproar.cli import COMMANDS
from uproar.cli.secret import load_secret
from uproar.settings import NAMES


def test_help_names_every_command(uproar):
    ran = uproar("--help")
    assert ran.status == 0
    assert [name for name in COMMANDS if name not in ran.out] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(uproar, name):
    ran = uproar(name, "--help")
    assert ran.status == 0
    assert f"uproar {name}" in ran.out


def test_help_loads_no_command():
    code = "import sys, uproar.cli; uproar.cli.application(['--help']); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "uproar.cli" in loaded
    assert [module for module in loaded if module.startswith("uproar.cli.")] == []


def test_an_unknown_command_ends_with_2(uproar):
    ran = uproar("tokn")
    assert ran.status == 2
    assert "token" in ran.err


def who(ran, data):
    assert (ran.status, ran.out.count("\n")) == (0, 1)
    return identify(ran.out.strip(), Keys(load_secret(data)), time.time())


def test_a_printed_token_speaks_for_whom_it_says(uproar, tmp_path):
    load_secret(tmp_path / "d")
    options = ["--role", "creator", "--role", "moderator@s1", "--verified", "--hours", "2"]
    identity = who(uproar("token", "--name", "Ann Lee", *options, "--data", "d"), tmp_path / "d")
    assert (identity.id, identity.name, identity.verified) == ("ann-lee", "Ann Lee", True)
    assert identity.roles == ("creator", "moderator@s1")
    assert 7_100 < identity.exp - time.time() <= 7_200


def test_a_token_may_have_an_id_of_its_own(uproar, tmp_path):
    load_secret(tmp_path / "data")
    assert who(uproar("token", "--name", "安", "--sub", "u-7"), tmp_path / "data").id == "u-7"


def test_a_token_takes_the_configured_secret(uproar):
    ran = uproar("token", "--name", "Ann", environment={"UPROAR_SECRET": "s" * 32})
    assert isinstance(identify(ran.out.strip(), Keys(b"s" * 32), time.time()), Identity)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--name", "安"], "--sub"),
        (["--name", ""], "names are 1-40"),
        (["--name", "Ann\u202e"], "names are 1-40"),
        (["--name", "Ann", "--sub", "a/b"], "ids"),
        (["--name", "Ann", "--role", "creater"], "Did you mean creator?"),
        (["--name", "Ann", "--role", "nonsense"], "creator@STREAM"),
        (["--name", "Ann", "--role", "admin@s1"], "no role admin@s1"),
        (["--name", "Ann", "--role", "moderator@"], "no role moderator@"),
        (["--name", "Ann", "--hours", "-1"], "hours"),
        ([], "name"),
    ],
)
def test_a_token_that_nobody_would_take_is_not_made(uproar, tmp_path, arguments, words):
    load_secret(tmp_path / "data")
    ran = uproar("token", *arguments)
    assert (ran.status, ran.out) == (2, "")
    assert words in ran.err


@pytest.mark.parametrize(
    "command",
    [
        ["token", "--name", "Ann"],
        ["post", "hi", "--name", "Ann", "--stream", "s"],
        ["replay", "c.jsonl", "--stream", "s"],
    ],
    ids=lambda command: command[0],
)
def test_a_directory_without_a_secret_is_told_and_not_made(uproar, tmp_path, command):
    (tmp_path / "c.jsonl").write_text('{"t_ms": 0, "user": "a", "text": "b"}')
    ran = uproar(*command, "--data", "typo")
    assert (ran.status, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert "no secret in typo" in ran.err
    assert not (tmp_path / "typo").exists()


def test_the_version_is_that_of_the_package(uproar):
    ran = uproar("--version")
    assert (ran.status, ran.out) == (0, f"uproar {version('uproar')}\n")


def test_an_echo_on_a_taken_port_ends_with_2_and_one_sentence(uproar):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        ran = uproar("bench", "echo", "--port", port)
    assert (ran.status, ran.err.count("\n")) == (2, 1)
    assert f"port {port}" in ran.err


def test_config_prints_every_setting_and_where_it_comes_from(uproar, tmp_path):
    (tmp_path / "uproar.toml").write_text("port = 81\n")
    ran = uproar("config", environment={"UPROAR_GUESTS": "on", "UPROAR_SECRET": "t0p-" * 8})
    assert [name for name in NAMES if name not in ran.out] == []
    assert {"uproar.toml", "UPROAR_GUESTS"} <= set(ran.out.split())
    assert "t0p-" not in ran.out


def test_config_explains_one_setting(uproar):
    ran = uproar("config", "ping_s")
    assert ran.out.startswith("ping_s = 25 (from: default)\n")
    assert "UPROAR_PING_S" in ran.out


@pytest.mark.parametrize(
    ("arguments", "toml", "words"),
    [
        (["config", "pings"], "", "did you mean ping_s?"),
        (["config", "--check"], "prot = 1", "did you mean port?"),
        (["config"], "port = -1", "0 to 65535"),
        (["config"], "port = = 1", "uproar.toml cannot be read"),
        (["config", "--config", "other.toml"], "", "no file other.toml"),
        (["token", "--name", "Ann"], "secret = 'short'", "32"),
        (["doctor"], "port = -1", "0 to 65535"),
    ],
)
def test_what_is_set_up_wrongly_ends_with_2_and_one_sentence(uproar, tmp_path, arguments, toml, words):
    (tmp_path / "uproar.toml").write_text(toml)
    ran = uproar(*arguments)
    assert (ran.status, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert words in ran.err


def test_config_check_says_that_all_is_well(uproar):
    assert uproar("config", "--check").status == 0


# The doctor --------------------------------------------------------------------------------------------------------


@pytest.fixture
def doctor(uproar):
    """Runs the doctor on free ports; answers with the findings that are not ok."""

    def run(status, **environment):
        ran = uproar("doctor", environment={"UPROAR_PORT": "0", "UPROAR_ADMIN_PORT": "0"} | environment)
        assert ran.status == status, ran.out
        return [line for line in ran.out.splitlines() if not line.startswith("ok")]

    return run


def database(file):
    connection = apsw.Connection(str(file))
    connection.execute("CREATE TABLE t (x); CREATE INDEX i ON t (x)")
    for n in range(200):
        connection.execute("INSERT INTO t VALUES (?)", (f"{n:0500}",))
    connection.close()


def test_the_doctor_finds_a_directory_in_use_whole(doctor, tmp_path):
    load_secret(tmp_path / "data")
    database(tmp_path / "data" / "uproar.db")
    assert [line for line in doctor(0) if "data" in line] == []


def test_the_doctor_changes_nothing(doctor, tmp_path):
    doctor(0)
    assert list(tmp_path.iterdir()) == []


def test_the_doctor_finds_a_damaged_database(doctor, tmp_path):
    load_secret(tmp_path / "data")
    file = tmp_path / "data" / "uproar.db"
    database(file)
    content = bytearray(file.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    file.write_bytes(content)
    assert any("uproar.db is damaged" in line for line in doctor(1))


def test_the_doctor_finds_a_secret_open_to_others(doctor, tmp_path):
    load_secret(tmp_path / "data")
    (tmp_path / "data" / "secret").chmod(0o644)
    assert any("chmod 600" in line for line in doctor(1))


def test_the_doctor_finds_public_keys_that_cannot_be_used(doctor, tmp_path):
    (tmp_path / "keys.json").write_text("{}")
    assert any("no JWKS document" in line for line in doctor(1, UPROAR_JWT_KEYS="keys.json"))


def test_the_doctor_sees_another_server_and_lets_its_data_be(doctor, tmp_path):
    load_secret(tmp_path / "data")
    (tmp_path / "data" / "uproar.db").write_bytes(b"not looked at")
    with (tmp_path / "data" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert any("a server holds data" in line for line in doctor(0))


def test_the_doctor_finds_a_taken_port(doctor):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert any(line.startswith(f"broken  port {port}: in use") for line in doctor(1, UPROAR_PORT=port))


def test_the_doctor_finds_a_directory_that_is_a_file(doctor, tmp_path):
    (tmp_path / "data").touch()
    assert any("no directory of ours" in line for line in doctor(1))


def test_the_doctor_finds_data_from_the_future(doctor, tmp_path, monkeypatch):
    load_secret(tmp_path / "data")
    now_s = time.time()
    monkeypatch.setattr(time, "time", lambda: now_s - 3_600)
    assert any("behind the data" in line for line in doctor(0))
