"""How many gateway processes there are."""

import os

import pytest

from uproar.assembly.cores import gateways_on, usable_cores
from uproar.core.errors import Misconfigured


@pytest.mark.parametrize(
    ("cores", "wish", "gateways"),
    [
        (1, "auto", 1),
        (2, "auto", 1),
        (2.9, "auto", 1),
        (3, "auto", 2),
        (4, "auto", 3),
        (8, "auto", 7),
        (64, "auto", 8),
        (0.5, "auto", 1),
        (2, 4, 4),
        (64, 1, 1),
    ],
)
def test_gateways_on(cores, wish, gateways):
    assert gateways_on(cores, wish, "linux") == gateways


def test_where_viewers_cannot_be_passed_on_one_process_does_all():
    assert gateways_on(64, "auto", "darwin") == gateways_on(64, 1, "darwin") == 1
    with pytest.raises(Misconfigured, match="needs Linux"):
        gateways_on(64, 2, "darwin")


@pytest.mark.parametrize(
    ("quota", "cores"), [("max 100000\n", None), ("50000 100000\n", 0.5), ("990000000 100000", None)]
)
def test_a_groups_quota_counts_where_it_is_less(tmp_path, quota, cores):
    (tmp_path / "cpu.max").write_text(quota)
    assert usable_cores(tmp_path / "cpu.max") == (cores or len(os.sched_getaffinity(0)))


def test_without_a_quota_all_that_may_be_used_count(tmp_path):
    assert usable_cores(tmp_path / "none") == len(os.sched_getaffinity(0))
