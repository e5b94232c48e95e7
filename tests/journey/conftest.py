"""A real server for each file of journeys: as one process, and where the file asks for it with gateways beside it."""

import pytest

from tests.journey.tuned import Tuned


def pytest_generate_tests(metafunc):
    """A file that says `GATEWAYS = ("1", "2")` is gone through with as many processes, one after the other."""
    if "served" in metafunc.fixturenames and hasattr(metafunc.module, "GATEWAYS"):
        counts = metafunc.module.GATEWAYS
        metafunc.parametrize("served", counts, indirect=True, scope="module", ids=lambda count: f"gateways{count}")


@pytest.fixture(scope="module")
def served(request, tmp_path_factory):
    house = Tuned(tmp_path_factory.mktemp("data"), gateways=getattr(request, "param", "1")).start()
    yield house
    house.stop()


@pytest.fixture(scope="module")
def boss(served):
    """The token of an admin."""
    return served.token("Boss", "admin", "importer")
