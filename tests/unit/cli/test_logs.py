"""A log line tells what went wrong and no secret."""

import json
from io import StringIO

import pytest
import structlog

from uproar.cli.logs import configure_logs


class Terminal(StringIO):
    """A stream that a person reads."""

    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def as_it_was():
    yield
    structlog.reset_defaults()


def failed(stream):
    """What the stream says of a bug in a function that held a token."""
    configure_logs(stream)
    token = "a" + "-secret"
    try:
        raise RuntimeError(f"{len(token)} was not expected")
    except RuntimeError:
        structlog.get_logger().exception("role_failed", role="hub")
    return stream.getvalue()


@pytest.mark.parametrize("stream", [StringIO, Terminal])
def test_a_bug_is_told_with_its_traceback_and_without_values(stream):
    told = failed(stream())
    assert "RuntimeError: 8 was not expected" in told
    assert "test_logs.py" in told
    assert "a-secret" not in told


def test_machines_get_one_json_line_an_event():
    [line] = failed(StringIO()).splitlines()
    told = json.loads(line)
    assert (told["event"], told["role"], told["level"]) == ("role_failed", "hub", "error")
    assert told["timestamp"].endswith("Z")
