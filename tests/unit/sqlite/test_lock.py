"""A data directory has one holder."""

import os

import pytest

from uproar.core.errors import Misconfigured
from uproar.sqlite import lock_directory


def test_a_second_holder_is_refused_and_told_who_has_it(tmp_path):
    lock = lock_directory(tmp_path / "data")
    with pytest.raises(Misconfigured, match=rf"another uproar serves from .*data \(process {os.getpid()}\)"):
        lock_directory(tmp_path / "data")
    lock.release()
    lock.release()
    lock_directory(tmp_path / "data").release()


def test_a_directory_that_cannot_hold_data_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured):
        lock_directory(tmp_path / "file" / "data")
