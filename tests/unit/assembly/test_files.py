"""Open files: as many as the system allows, and a viewer each but for our own."""

import resource
import subprocess
import sys

import pytest

from uproar.assembly import files


def test_the_limit_is_raised_as_far_as_it_may_be_and_those_started_have_it():
    script = """
import resource, subprocess, sys
from uproar.assembly.files import raise_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (300, 700))
raise_limit()
ask = "import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE))"
subprocess.run([sys.executable, "-c", ask], check=True)
"""
    told = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert told.stdout == "(700, 700)\n"


@pytest.mark.parametrize(
    ("soft", "fit"), [(1_024, 924), (524_288, 524_188), (50, 1), (resource.RLIM_INFINITY, files.ENDLESS)]
)
def test_each_viewer_is_an_open_file(monkeypatch, soft, fit):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, resource.RLIM_INFINITY))
    assert files.viewers_that_fit() == fit
