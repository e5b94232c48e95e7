"""The examples do what they say, against a real server."""

import os
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.web.served import BROWSER_FLAGS, Served, chromium

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def site():
    """The examples on an origin of their own, as somebody's site has them."""
    handler = partial(SimpleHTTPRequestHandler, directory=EXAMPLES)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as pages:
        Thread(target=pages.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{pages.server_port}"
        pages.shutdown()


@pytest.fixture(scope="module")
def server(site, tmp_path_factory):
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("UPROAR_ORIGINS", site)
        served = Served(tmp_path_factory.mktemp("data")).start()
    yield served
    served.stop()


def run(name, *arguments, **environment):
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=os.environ | environment)


def test_a_comment_is_posted_with_the_standard_library(server):
    done = run("post.py", "greetings", "Ann", "hello from a script", server.url)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("Ann hello from a script\n")


def test_a_refusal_is_told(server):
    done = run("post.py", "greetings", "Ann", "x" * 501, server.url)
    assert done.returncode == 1
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


def test_a_backend_makes_tokens_that_the_server_takes(server):
    secret = (server.data / "secret").read_text().strip()
    done = run("backend_token.py", "ann", "Ann", UPROAR_SECRET=secret)
    assert done.returncode == 0, done.stderr
    status, comment = server.call("POST", "/v1/streams/own/comments", {"text": "mine"}, done.stdout.strip())
    assert (status, comment["user"]) == (201, {"id": "ann", "name": "Ann"})


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("post.py", [], "Run it as"),
        ("post.py", ["s", "Ann", "hi", "http://127.0.0.1:1"], "No answer"),
        ("post.py", ["s", "Ann", "hi", "localhost"], "No answer"),
        ("backend_token.py", [], "Run it as"),
        ("backend_token.py", ["ann", "Ann"], "UPROAR_SECRET"),
    ],
)
def test_what_an_example_lacks_is_told_in_one_sentence(name, arguments, words):
    done = run(name, *arguments, UPROAR_SECRET="")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert words in done.stderr


def test_a_page_of_ones_own_shows_what_is_said_and_drops_what_is_removed(server, site):
    token = server.token("Ann")
    status, first = server.call("POST", "/v1/streams/page/comments", {"text": "<b>first</b>"}, token)
    assert status == 201
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=BROWSER_FLAGS)
        page = browser.new_page()
        page.goto(f"{site}/watch.html?stream=page&server=127.0.0.1:{server.port}")
        rows = page.locator("#comments li")
        expect(rows).to_have_text(["Ann: <b>first</b>"])
        server.call("POST", "/v1/streams/page/comments", {"text": "second"}, token)
        expect(rows).to_have_text(["Ann: <b>first</b>", "Ann: second"])
        server.call("DELETE", f"/v1/streams/page/comments/{first['id']}", {"why": "a test"}, token)
        expect(rows).to_have_text(["Ann: second"])
        browser.close()
