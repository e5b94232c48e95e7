"""A real server for each file of journeys."""

import pytest

from tests.web.served import Served


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    house = Served(tmp_path_factory.mktemp("data")).start()
    yield house
    house.stop()


@pytest.fixture(scope="module")
def boss(served):
    """The token of an admin."""
    return served.token("Boss", "admin", "importer")
