"""Native senders where the kernel, a limit or a fork is against them: a clear refusal, and nothing lost."""

import subprocess
import sys
from pathlib import Path

import pytest

from uproar.native import Absent, RingSender, load

HOME = Path(__file__).parents[3]

BEFORE = """
import errno, os, resource, socket
from array import array
from tests.no_io_uring import forbid
from uproar.core.errors import Misconfigured
from uproar.native import Absent, LoopSender, RingSender, load, open_sender

library = load()

def sends(sender):
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.settimeout(5)
    assert sender.send(array("i", [ours.fileno()]), 0, 1, b"a frame") == ()
    assert theirs.recv(100) == b"a frame"
"""


@pytest.fixture(autouse=True)
def ring():
    try:
        RingSender(load()).close()
    except Absent as why:
        pytest.skip(str(why))


def run(script):
    """In a process of its own, which a limit or a crash ends; what it printed."""
    done = subprocess.run([sys.executable, "-c", BEFORE + script], cwd=HOME, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("error", ["EPERM", "ENOSYS", "EACCES"])
def test_where_io_uring_is_forbidden_auto_sends_and_whoever_asks_for_it_is_told_why(error):
    said = run(f"""
forbid(errno.{error})
sends(open_sender("auto").sender)
try:
    open_sender("io_uring")
except Misconfigured as why:
    print(why)
""")
    assert said.startswith("sender cannot be io_uring: the kernel gives no io_uring")
    assert error in said


def test_with_no_descriptor_left_a_ring_is_absent_and_can_be_had_later():
    said = run("""
limits = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
try:
    RingSender(library)
except Absent as why:
    print(why)
resource.setrlimit(resource.RLIMIT_NOFILE, limits)
sends(RingSender(library))
""")
    assert "EMFILE" in said


def test_with_no_memory_to_lock_a_ring_sends_or_is_absent():
    said = run("""
resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))
if os.geteuid() == 0:
    os.setresuid(65534, 65534, 65534)  # root may always lock
try:
    sends(RingSender(library))
    print("sent")  # a kernel since 5.12 counts rings to the memory group
except Absent as why:
    print(why)
""")
    assert said == "sent\n" or "ENOMEM" in said


def test_a_forked_child_may_not_send_by_its_parents_ring_which_goes_on():
    said = run("""
sender = RingSender(library)
sends(sender)
child = os.fork()
if not child:
    try:
        sends(sender)
    except RuntimeError as why:
        print(why, flush=True)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
sends(sender)
""")
    assert said == "the ring belongs to the thread that made it\n"


def test_rings_that_are_closed_leave_no_descriptor_and_no_memory_behind():
    run("""
def kept():
    return len(os.listdir("/proc/self/fd")), sum("io_uring" in line for line in open("/proc/self/maps"))

before = kept()
for _ in range(50):
    ring = RingSender(library)
    sends(ring)
    ring.close()
assert kept() == before, (kept(), before)
""")
