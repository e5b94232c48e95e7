"""A recorded chat, read."""

import gzip

import pytest

from uproar.cli.recording import Said, read_recording
from uproar.core.errors import Misconfigured

LINES = b'{"t_ms": 5, "user": "b", "text": "two"}\n\n{"t_ms": 0, "user": "a", "text": "one"}\n'


@pytest.mark.parametrize("name", ["chat.jsonl", "chat.jsonl.gz"])
def test_lines_come_by_time_plain_or_packed(tmp_path, name):
    file = tmp_path / name
    file.write_bytes(gzip.compress(LINES) if name.endswith(".gz") else LINES)
    assert read_recording(file) == [Said(0, "a", "one"), Said(5, "b", "two")]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"t_ms": 0, "user": "a", "text": "one"}\n{"t_ms": -1, "user": "a", "text": "b"}', "line 2"),
        (b'{"t_ms": 0, "user": "a"}', "line 1"),
        (b"\xff\xfe", "line 1"),
        (b"\n\n", "nothing"),
    ],
)
def test_what_is_no_recording_is_told_with_its_line(tmp_path, content, told):
    file = tmp_path / "chat.jsonl"
    file.write_bytes(content)
    with pytest.raises(Misconfigured, match=told):
        read_recording(file)


def test_a_file_that_only_claims_to_be_packed_is_told(tmp_path):
    file = tmp_path / "chat.jsonl.gz"
    file.write_bytes(LINES)
    with pytest.raises(Misconfigured, match="cannot be read"):
        read_recording(file)
