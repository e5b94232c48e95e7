"""However frames leave the gateway, every viewer gets each batch once, in order; one that stalls holds nobody up."""

import pytest

from tests.journey.eyes import Eye
from tests.journey.test_slow import SOME_BYTES, behind_a_thin_line, flood, lag, writing
from tests.journey.tuned import Tuned
from uproar.native import Absent, RingSender, load

STREAM = "s"


def here(form: str) -> str:
    """The form, where this machine has it."""
    try:
        if form != "python":
            library = load()
        if form == "io_uring":
            RingSender(library).close()
    except Absent as why:
        pytest.skip(str(why))
    return form


@pytest.fixture(params=["python", "send", "io_uring"])
def served(request, tmp_path):
    with Tuned(tmp_path, sender=here(request.param)) as house:
        yield house


def numbers(eye: Eye) -> list[int]:
    """The batches it got, by their numbers."""
    return [int(message["position"].split(".")[1]) for message in eye.seen if message["type"] == "batch"]


def test_every_viewer_gets_each_batch_once_while_some_stall_and_some_leave(served):
    with writing(served, STREAM) as writer, behind_a_thin_line(served, STREAM) as slow:
        eyes = [Eye(served, STREAM, plain=at % 2 == 0) for at in range(20)]
        lag(served, writer)
        for eye in eyes[::4]:
            eye.close()
        staying = [eye for at, eye in enumerate(eyes) if at % 4]
        late = [Eye(served, STREAM, plain=at % 2 == 0) for at in range(10)]
        flood(writer, "more", SOME_BYTES // 3)
        writer.post("end", "the end")
        for eye in (writer, slow, *staying, *late):
            eye.sees("the end")
            seen = numbers(eye)
            assert seen == list(range(seen[0], seen[0] + len(seen)))
        for eye in (*staying, *late):
            eye.close()
