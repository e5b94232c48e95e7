"""The commands against a server of their own: serve, post, watch, replay."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

UPROAR = str(Path(sys.executable).with_name("uproar"))
SAMPLE = str(Path(__file__).parents[2] / "examples" / "chat.jsonl")
PATIENCE_S = 60
SAID = 300
USERS = 40
TEXTS = ("hello", "what is this?", "😂😂😂", "早上好", "nice one", "two\nlines")


def wait_for(url, true):
    """Ask until the answer is so."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            with urlopen(url) as answer:
                if true(json.load(answer)):
                    return
        except HTTPError:
            pass
        time.sleep(0.05)
    raise TimeoutError(url)


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
        watching.terminate()
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


def test_a_replay_without_the_secret_is_told(uproar):
    status, _, err = uproar("replay", SAMPLE, "--stream", "secret")
    assert status == 2
    assert "no secret" in err


def test_a_replay_with_a_wrong_secret_posts_nothing(uproar):
    status, out, err = uproar("replay", SAMPLE, "--stream", "secret", "--secret", "wrong" * 8)
    assert (status, out) == (2, "")
    assert "takes no token of ours" in err


def test_the_sample_is_kept_whole_and_a_stream_keeps_its_title(uproar, server, data):
    for _ in range(2):
        asked = ("--stream", "sample", "--speed", "200", "--data", str(data), "--json")
        status, out, _ = uproar("replay", SAMPLE, *asked)
        assert (status, json.loads(out)["acknowledged"]) == (0, 60)
        with urlopen(f"{server}/v1/streams/sample") as answer:
            assert json.load(answer)["title"] == "Replay of chat"


def test_an_interrupted_replay_tells_what_was_posted(server, data):
    command = [UPROAR, "replay", SAMPLE, "--stream", "cut", "--data", str(data), "--json", "--server", server]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as replaying:
        wait_for(f"{server}/v1/streams/cut/comments", lambda body: body["comments"])
        replaying.send_signal(signal.SIGINT)
        out, err = replaying.communicate(timeout=PATIENCE_S)
    figures = json.loads(out)
    assert (replaying.returncode, figures["stopped"]) == (130, "interrupted")
    assert 0 < figures["posted"] == figures["acknowledged"] < 60
    assert "of 60 comments" in err


def test_watching_in_vain_says_why():
    command = [UPROAR, "watch", "--plain", "--stream", "s", "--server", "http://127.0.0.1:1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as watching:
        first = watching.stderr.readline()
        watching.terminate()
    assert "nobody answers" in first


def test_a_watcher_whose_token_is_bad_is_told(server):
    command = [UPROAR, "watch", "--plain", "--stream", "s", "--token", "bad", "--server", server]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as watching:
        first = watching.stderr.readline()
        watching.terminate()
    assert "bad_token" in first
