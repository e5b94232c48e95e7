"""What is read from /proc, and who belongs to whom."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uproar.bench.proc import PAGE_KIB, TICKS_PER_S, Process, below, read_stat, usage

STAT = "42 ({}) S 7 42 42 0 -1 4194304 1 2 3 4 {user} {system} 5 6 20 0 1 0 99 4096000 {pages} 184 1 1 0 0 0 0"


@pytest.mark.parametrize("name", ["nginx", "a (b) c", ") S 1 2 3", "(sd-pam)", ""])
def test_a_line_is_read_whatever_the_program_is_called(name):
    line = STAT.format(name, user=250, system=50, pages=10)
    assert read_stat(line) == Process(7, 300 / TICKS_PER_S, 10 * PAGE_KIB)


@pytest.mark.parametrize(
    ("root", "parents", "tree"),
    [
        (1, {}, {1}),
        (1, {2: 1, 3: 2, 4: 9}, {1, 2, 3}),
        (2, {1: 0, 2: 1, 3: 2}, {2, 3}),
        (0, {0: 0, 1: 0}, {0, 1}),
    ],
)
def test_a_tree_is_all_that_descends(root, parents, tree):
    assert below(root, parents) == tree


@given(st.dictionaries(st.integers(0, 20), st.integers(0, 20)), st.integers(0, 20))
def test_whoever_has_a_parent_in_the_tree_is_in_it(parents, root):
    tree = below(root, parents)
    assert tree == {root} | {pid for pid, parent in parents.items() if parent in tree}


def test_a_childs_memory_counts_as_its_parents():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        whole = usage(child.pid)
        shell = ["sh", "-c", f"{sys.executable} -c 'print(1, flush=True); input()'; true"]
        with subprocess.Popen(shell, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
            assert parent.stdout.readline() == b"1\n"
            assert usage(parent.pid).rss_kib > whole.rss_kib / 2
            parent.stdin.close()
        child.stdin.close()


def test_who_is_gone_takes_nothing():
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    assert usage(gone.pid) == (0, 0)
