"""The commands against a server of their own: serve, post, watch, replay."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

UPROAR = str(Path(sys.executable).with_name("uproar"))
PATIENCE_S = 60
SAID = 300
USERS = 40
TEXTS = ("hello", "what is this?", "😂😂😂", "早上好", "nice one", "two\nlines")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def server(data):
    """The address of a server, which in the end stops with 0 when asked to."""
    command = [UPROAR, "serve", "--open", "--port", "0", "--admin-port", "0", "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=data) as process:
        try:
            yield re.search(r"http://[\d.:]+", process.stdout.readline())[0]
        finally:
            process.send_signal(signal.SIGTERM)
            status = process.wait(PATIENCE_S)
    assert status == 0


@pytest.fixture
def uproar(server, tmp_path):
    """Runs a command against the server: its status, what it printed, and its complaints."""

    def run(name, *arguments):
        command = [UPROAR, name, *arguments, "--server", server]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, cwd=tmp_path, check=False)
        return ran.returncode, ran.stdout, ran.stderr

    return run


def test_a_guest_posts_and_is_told_the_comment(uproar):
    status, out, err = uproar("post", "hello there", "--stream", "guests", "--name", "Ann")
    assert (status, err) == (0, "")
    assert re.fullmatch(r"\d+ Ann: hello there\n", out)


def test_a_refusal_is_told_with_its_reason(uproar, data):
    status, out, err = uproar("post", "  ", "--stream", "guests", "--name", "Ann", "--data", str(data))
    assert (status, out) == (1, "")
    assert "(empty, 201)" in err


def test_a_reply_names_its_parent(uproar, data):
    _, out, _ = uproar("post", "a question?", "--stream", "replies", "--name", "Ann", "--data", str(data))
    parent = out.split()[0]
    answered = uproar(
        "post", "an answer", "--stream", "replies", "--name", "Bob", "--reply-to", parent, "--data", str(data)
    )
    assert answered[0] == 0


def test_a_server_that_is_not_there_is_told():
    command = [UPROAR, "post", "hi", "--stream", "s", "--token", "t", "--server", "http://127.0.0.1:1"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert ran.returncode == 1
    assert "does not answer" in ran.stderr


def test_watch_prints_what_was_said_before_and_what_is_said_now(uproar, server, data):
    uproar("post", "before", "--stream", "watched", "--name", "Ann", "--data", str(data))
    command = [UPROAR, "watch", "--plain", "--stream", "watched", "--server", server]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
        first = watching.stdout.readline()
        uproar("post", "now", "--stream", "watched", "--name", "Bob", "--data", str(data))
        second = watching.stdout.readline()
        watching.send_signal(signal.SIGINT)
    assert [line.rstrip("\n").split("\t")[1:] for line in (first, second)] == [["Ann", "before"], ["Bob", "now"]]


def test_a_replay_reaches_every_viewer_and_the_history(uproar, data, tmp_path):
    said = [{"t_ms": n * 5, "user": f"u{n % USERS}", "text": TEXTS[n % len(TEXTS)]} for n in range(SAID)]
    said.append({"t_ms": SAID * 5, "user": "u1", "text": " "})
    chat = tmp_path / "chat.jsonl"
    chat.write_text("\n".join(map(json.dumps, said)))
    status, out, err = uproar(
        "replay", str(chat), "--stream", "replayed", "--viewers", "20", "--data", str(data), "--json"
    )
    assert (status, err) == (0, "")
    figures = json.loads(out)
    wanted = {
        "posted": SAID + 1,
        "acknowledged": SAID,
        "refused": {"empty": 1},
        "unanswered": 0,
        "viewers": 20,
        "viewers_complete": 20,
        "missing_in_history": 0,
    }
    assert {name: figures[name] for name in wanted} == wanted
    assert figures["post_to_display_ms"].keys() == {"50", "95", "99"}


def test_a_replay_without_the_secret_is_told(uproar, tmp_path):
    chat = tmp_path / "chat.jsonl"
    chat.write_text('{"t_ms": 0, "user": "a", "text": "b"}')
    status, _, err = uproar("replay", str(chat), "--stream", "secret")
    assert status == 2
    assert "--secret" in err
