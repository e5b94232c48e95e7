"""`uproar bench`: what it is asked, and what it keeps of a measurement that goes wrong later."""

import json

import pytest

from uproar.bench.compiled import CannotCompile
from uproar.bench.lines import COST, FLOOR, Line, Result
from uproar.bench.reporting import read
from uproar.cli import application

CHAT = [{"t_ms": at * 20, "user": f"u{at % 7}", "text": f"goal number {at}, what a match"} for at in range(1_500)]


def bench(*words):
    with pytest.raises(SystemExit) as ended:
        application(["bench", *words])(["bench", *words])
    return ended.value.code


def test_minutes_and_seconds_are_not_said_at_once(capsys):
    assert bench("start", "--minutes", "1", "--seconds", "2") == 2
    assert "--minutes and --seconds both" in capsys.readouterr().err


def test_what_was_measured_is_kept_though_a_later_profile_fails(monkeypatch, tmp_path):
    async def measured(profile, wish, told):
        if profile.name == "idle":
            raise CannotCompile("There is no compiler.")
        lines = [Line(who, "", 1, {COST: 4.0}) for who in (FLOOR, "send")]
        return Result(profile.name, profile.setup(wish), lines, profile.unheeded(wish))

    monkeypatch.setattr("uproar.cli.bench.measured", measured)
    kept, drawn = tmp_path / "kept.json", tmp_path / "drawn.svg"
    assert bench("steady", "start", "idle", "--senders", "send", "--json", str(kept), "--svg", str(drawn)) == 1
    assert [result.profile for result in read(kept).results] == ["steady", "start"]
    assert drawn.exists()


@pytest.mark.parametrize(("sizes", "held"), [((), True), (("--windows", "500"), False), (("--starts", "10"), False)])
def test_a_chats_bytes_are_held_to_their_bars_where_those_were_weighed(capsys, tmp_path, sizes, held):
    file = tmp_path / "chat.jsonl"
    file.write_text("\n".join(map(json.dumps, CHAT)))
    assert bench("bytes", str(file), *sizes) == 0
    told = capsys.readouterr().out
    assert "comments a frame" in told
    assert ("alone / chained ≥ 1.9" in told and "plain / chained ≥ 3" in told) == held
