"""The real server is killed under load, again and again: what it acknowledged is there, and everything once."""

import random
import subprocess
import threading
import time
from collections import Counter

from websockets.exceptions import ConnectionClosed

from tests.journey.eyes import Eye
from tests.web.served import Served

SEED = 20_251
KILLS = 5
POSTERS = 8


class Poster(threading.Thread):
    """Posts one comment after the other until the server dies; what is unanswered then is `doubtful`."""

    def __init__(self, served: Served, token: str, name: str) -> None:
        super().__init__()
        self.eye = Eye(served, "load", "?history=0")
        assert self.eye.auth(token)["type"] == "welcome"
        self.name = name
        self.kept: dict[str, str] = {}
        self.doubtful = ""

    def run(self) -> None:
        try:
            for number in range(1_000_000):
                self.doubtful = f"{self.name}-{number}"
                answer = self.eye.post(self.doubtful, self.doubtful)
                if answer["type"] == "ack":
                    self.kept[self.doubtful] = answer["comment"]["id"]
        except (ConnectionClosed, OSError, TimeoutError):
            self.eye.close()


def everything(served: Served) -> list[dict]:
    """All comments of the stream, by its pages."""
    found, query = [], "limit=200"
    while True:
        status, page = served.call("GET", f"/v1/streams/load/comments?{query}")
        assert status == 200
        found += page["comments"]
        if not page["next"]:
            return found
        query = f"limit=200&before={page['next']}"


def holds(served: Served, kept: dict[str, str]) -> None:
    """All that was kept is read, under its id, and nothing is there twice."""
    give_up = time.monotonic() + 3
    while True:
        found = everything(served)
        there = {comment["text"]: comment["id"] for comment in found}
        if kept.items() <= there.items() or time.monotonic() > give_up:
            break
        time.sleep(0.05)
    assert {text: there.get(text) for text in kept} == kept
    assert Counter(comment["text"] for comment in found).most_common(1)[0][1] == 1
    assert len({comment["id"] for comment in found}) == len(found)


def test_five_kills_under_load_lose_and_double_nothing(tmp_path):
    dice = random.Random(SEED)
    served = Served(tmp_path).start()
    kept: dict[str, str] = {}
    try:
        token = served.token("Load", "importer")
        for kill in range(KILLS):
            posters = [Poster(served, token, f"k{kill}p{number}") for number in range(POSTERS)]
            for poster in posters:
                poster.start()
            time.sleep(dice.uniform(0.1, 0.6))
            served.kill()
            for poster in posters:
                poster.join()
                kept |= poster.kept
            assert any(poster.kept for poster in posters), "the load was none"
            served.start()
            holds(served, kept)
            with Eye(served, "load", "?history=0") as again:
                again.auth(token)
                for poster in posters:
                    first, second = (again.post(poster.doubtful, poster.doubtful) for _ in range(2))
                    assert first["type"] == "ack"
                    assert first == second
                    kept[poster.doubtful] = first["comment"]["id"]
            holds(served, kept)
    finally:
        served.stop()


def test_a_second_server_on_the_same_directory_is_refused(tmp_path):
    first = Served(tmp_path).start()
    try:
        second = subprocess.run(Served(tmp_path).command(), capture_output=True, text=True, timeout=15)
        assert second.returncode == 2
        assert "Traceback" not in second.stderr
        assert len(second.stderr.split()) > 4
        assert first.call("GET", "/readyz")[0] == 200
    finally:
        first.stop()
