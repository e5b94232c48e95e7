"""However frames leave the gateway, every viewer gets each batch once, in order; one that stalls holds nobody up."""

import re
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

import tests.no_io_uring
from tests.journey.eyes import Eye
from tests.journey.test_slow import SOME_BYTES, behind_a_thin_line, flood, lag, writing
from tests.journey.tuned import Tuned, token_of
from uproar.native import Absent, RingSender, load

STREAM = "s"


def here(form: str) -> str:
    """The form, where this machine has it."""
    try:
        if form != "python":
            library = load()
        if form == "io_uring":
            RingSender(library).close()
    except Absent as why:
        pytest.skip(str(why))
    return form


@pytest.fixture(params=["python", "send", "io_uring"])
def served(request, tmp_path):
    with Tuned(tmp_path, sender=here(request.param)) as house:
        yield house


def numbers(eye: Eye) -> list[int]:
    """The batches it got, by their numbers."""
    return [int(message["position"].split(".")[1]) for message in eye.seen if message["type"] == "batch"]


def test_every_viewer_gets_each_batch_once_while_some_stall_and_some_leave(served):
    with writing(served, STREAM) as writer, behind_a_thin_line(served, STREAM) as slow:
        eyes = [Eye(served, STREAM, plain=at % 2 == 0) for at in range(20)]
        lag(served, writer)
        for eye in eyes[::4]:
            eye.close()
        staying = [eye for at, eye in enumerate(eyes) if at % 4]
        late = [Eye(served, STREAM, plain=at % 2 == 0) for at in range(10)]
        flood(writer, "more", SOME_BYTES // 3)
        writer.post("end", "the end")
        for eye in (writer, slow, *staying, *late):
            eye.sees("the end")
            seen = numbers(eye)
            assert seen == list(range(seen[0], seen[0] + len(seen)))
        for eye in (*staying, *late):
            eye.close()


def cut_off(eye: Eye) -> None:
    """As a lost line does: a reset, and no word of farewell."""
    eye.socket.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    eye.socket.socket.close()


def test_viewers_are_reset_all_the_while_and_whoever_has_their_descriptors_next_gets_only_its_own(served):
    with writing(served, STREAM) as writer, Eye(served, STREAM) as stays:
        for turn in range(10):
            lost = [Eye(served, STREAM, plain=at % 2 == 0) for at in range(5)]
            writer.post(f"a{turn}", f"first {turn}")
            for eye in lost:
                cut_off(eye)
            with Eye(served, "another") as stranger:
                writer.post(f"b{turn}", f"then {turn}")
                stays.sees(f"then {turn}")
                stranger.auth(token_of(served, "stranger"))  # all that was sent before has come
                assert not any(message.get("comments") for message in stranger.seen)
        seen = numbers(stays)
        assert seen == list(range(seen[0], seen[0] + len(seen)))


class Confined(Tuned):
    """A server in a container that forbids io_uring; `log` is what it says."""

    def command(self) -> list[str]:
        return [sys.executable, str(Path(tests.no_io_uring.__file__)), *super().command()]


def test_where_io_uring_is_forbidden_auto_serves_and_says_by_what_and_why(tmp_path, capfd):
    with Confined(tmp_path, sender="auto") as served, writing(served, STREAM) as writer, Eye(served, STREAM) as eye:
        writer.post("a", "hello")
        eye.sees("hello")
    said = re.sub("\x1b\\[[0-9;]*m", "", "".join(capfd.readouterr()))
    (line,) = (line for line in said.splitlines() if "sender" in line)
    assert "form" in line
    assert "why" in line


def test_where_io_uring_is_forbidden_whoever_asks_for_it_is_told_at_once(tmp_path):
    here("io_uring")
    command = Confined(tmp_path, sender="io_uring").command()
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode not in (0, None)
    assert "sender cannot be io_uring" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
