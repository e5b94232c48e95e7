"""A server with settings of its own; tokens for it at once, and the numbers that its operator reads."""

import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from tests.web.served import Served
from uproar.auth import Identity, make_token
from uproar.cli.secret import load_secret

WITHIN_S = 10.0


class Tuned(Served):
    """`uproar serve --open` with `UPROAR_…` in its environment: `Tuned(data, ping_s="1")`."""

    def __init__(self, data: Path, **settings: str) -> None:
        super().__init__(data)
        self._environment = [f"UPROAR_{name.upper()}={value}" for name, value in settings.items()]

    def __enter__(self) -> "Tuned":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def command(self) -> list[str]:
        return ["env", *self._environment, *super().command()]


def token_of(served: Served, user: str, *roles: str, verified: bool = False, until_s: float = 0) -> str:
    """A token that holds for an hour, or until then."""
    now_s = time.time()
    who = Identity(user, user, int(until_s or now_s + 3600), roles, verified)
    return make_token(who, load_secret(served.data), now_s)


def number(served: Served, name: str, **labels: str) -> float:
    """What /metrics says now; 0 while it does not name it."""
    page = urlopen(f"http://127.0.0.1:{served.admin_port}/metrics", timeout=WITHIN_S).read().decode()
    samples = (sample for family in text_string_to_metric_families(page) for sample in family.samples)
    return sum(sample.value for sample in samples if sample.name == name and labels.items() <= sample.labels.items())


def until(true: Callable[[], bool], within_s: float = WITHIN_S) -> None:
    """Look again and again until it is true."""
    give_up = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < give_up, "it did not come true"
        time.sleep(0.05)
