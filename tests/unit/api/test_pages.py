"""Health, as those who watch over a process ask for it."""

import pytest
from litestar.testing import TestClient

from uproar.api.server import make_app, openapi
from uproar.settings import Settings

pytestmark = pytest.mark.filterwarnings("error::DeprecationWarning")  # of Litestar: the application is made in its way


class Health:
    def __init__(self, alive, ready):
        self._alive, self._ready = alive, ready

    def alive(self):
        return self._alive

    async def ready(self):
        return self._ready


def answers(health):
    app = make_app(None, None, None, None, Settings(), None, None, None, health)
    with TestClient(app) as client:
        return [(answer.status_code, answer.json()) for answer in map(client.get, ("/livez", "/readyz"))]


GOOD, BAD = (200, {"ok": True}), (503, {"ok": False})


@pytest.mark.parametrize(
    ("alive", "ready", "told"),
    [(True, True, [GOOD, GOOD]), (True, False, [GOOD, BAD]), (False, False, [BAD, BAD])],
)
def test_what_does_not_live_or_take_appends_says_so(alive, ready, told):
    assert answers(Health(alive, ready)) == told


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_the_page_tells_both_answers(path):
    told = openapi()["paths"][path]["get"]["responses"]
    schema = {"schema": {"$ref": "#/components/schemas/Health"}}
    assert [told[status]["content"] for status in ("200", "503")] == [{"application/json": schema}] * 2
