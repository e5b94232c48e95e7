"""A setting stands once, and what cannot work stops the start with a sentence."""

import msgspec
import pytest

from uproar.core.errors import Misconfigured
from uproar.settings import NAMES, Settings, environment_name, explain, load, manual, shown


def settings(file=None, environment=None, **flags):
    return load(file or {}, environment or {}, flags).settings


def test_the_defaults_are_possible_and_open_no_door():
    defaults = settings()
    assert defaults == Settings()
    assert (defaults.host, defaults.port, defaults.admin_host, defaults.admin_port) == (
        "127.0.0.1",
        8080,
        "127.0.0.1",
        9090,
    )
    assert not defaults.guests
    assert not defaults.open_streams


def test_each_layer_goes_before_the_one_below():
    file = {"port": 1, "admin_port": 2, "data": "file"}
    environment = {"UPROAR_ADMIN_PORT": "3", "UPROAR_DATA": "environment", "PATH": "/bin"}
    loaded = load(file, environment, {"data": "flag", "host": None}, "my.toml")
    assert (loaded.settings.port, loaded.settings.admin_port, loaded.settings.data) == (1, 3, "flag")
    assert {name: source for name, source in loaded.sources.items() if source != "default"} == {
        "port": "my.toml",
        "admin_port": "UPROAR_ADMIN_PORT",
        "data": "--data",
    }
    assert set(loaded.sources) == set(NAMES)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("port", "0", 0),
        ("port", " 65535 ", 65_535),
        ("guests", "on", True),
        ("guests", "OFF", False),
        ("guests", "true", True),
        ("guests", "0", False),
        ("origins", "https://a.example, http://b.example:81", ("https://a.example", "http://b.example:81")),
        ("origins", "", ()),
        ("roles", "api,fanout,persist", ("api", "fanout", "persist")),
        ("log_retention_h", "0.001", 0.001),
        ("log_retention_h", "24", 24.0),
        ("trusted_proxies", "10.0.0.0/8,::1", ("10.0.0.0/8", "::1")),
        ("plan_window_ms", "50,100,1000", (50, 100, 1_000)),
        ("store", "memory:", "memory:"),
        ("data", "/var/lib/uproar", "/var/lib/uproar"),
    ],
)
def test_text_from_the_environment_is_read_as_the_setting_is_meant(name, text, value):
    assert getattr(settings(environment={environment_name(name): text}), name) == value
    assert getattr(settings({name: text}), name) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [("guests", True), ("port", 81), ("origins", ["https://a.example"]), ("ring_s", 5), ("ring_s", 2.5)],
)
def test_values_of_a_file_may_have_their_own_kind(name, value):
    read = getattr(settings({name: value}), name)
    assert read == (tuple(value) if isinstance(value, list) else value)


@pytest.mark.parametrize(
    ("file", "environment", "flags", "words"),
    [
        ({"prot": 1}, {}, {}, ["prot", "uproar.toml", "did you mean port?"]),
        ({}, {"UPROAR_PROT": "1"}, {}, ["UPROAR_PROT", "environment", "did you mean UPROAR_PORT?"]),
        ({}, {"UPROAR_XQZW": "1"}, {}, ["no setting UPROAR_XQZW in the environment."]),
        ({}, {}, {"datta": "x"}, ["--datta on the command line", "did you mean --data?"]),
        ({}, {"UPROAR_PORT": "65536"}, {}, ["port", "'65536'", "UPROAR_PORT", "0 to 65535"]),
        ({}, {"UPROAR_PORT": "-1"}, {}, ["port", "0 to 65535"]),
        ({}, {"UPROAR_PORT": "http"}, {}, ["port", "whole number"]),
        ({"port": 1.5}, {}, {}, ["port", "1.5", "whole number"]),
        ({"port": None}, {}, {}, ["port", "None"]),
        ({"port": [8080]}, {}, {}, ["port"]),
        ({"guests": "perhaps"}, {}, {}, ["guests", "on or off"]),
        ({"data": ""}, {}, {}, ["data", "text, not empty"]),
        ({"data": 7}, {}, {}, ["data", "7"]),
        ({}, {}, {"log": "kafka://h1:9092/uproar.events"}, ["log", "--log", "memory: or sqlite:"]),
        ({"store": "cassandra://h1/uproar"}, {}, {}, ["store", "memory: or sqlite:"]),
        ({"timeline": "redis://h/0"}, {}, {}, ["timeline", "memory: or sqlite:"]),
        ({"ledger": "sqlite:"}, {}, {}, ["ledger", "it is memory:."]),
        ({"presence": "redis://h/0"}, {}, {}, ["presence", "it is memory:."]),
        ({"roles": "api,scale"}, {}, {}, ["roles", "fanout or persist"]),
        ({"roles": ""}, {}, {}, ["roles"]),
        ({"roles": "api"}, {}, {}, ["roles lacks fanout and persist"]),
        ({"roles": "api,gateway,persist"}, {}, {}, ["roles lacks fanout,"]),
        ({"roles": "gateway,fanout,persist"}, {}, {}, ["roles lacks api,"]),
        ({"log_retention_h": 0}, {}, {}, ["log_retention_h", "above 0"]),
        ({"log_retention_h": float("nan")}, {}, {}, ["log_retention_h"]),
        ({"ping_s": float("inf")}, {}, {}, ["ping_s"]),
        ({"ping_s": 0.5}, {}, {}, ["ping_s", "whole number from 1"]),
        ({"pong_s": 26}, {}, {}, ["pong_s", "ping_s"]),
        ({"plan_window_ms": [100, 200]}, {}, {}, ["plan_window_ms", "3, comma-separated"]),
        ({"plan_viewers": [1_000, 1_000]}, {}, {}, ["plan_viewers", "1000,1000"]),
        ({"secret": "short"}, {}, {}, ["secret has 5 bytes", "32"]),
        ({"admin_port": 8080}, {}, {}, ["port and admin_port", "8080"]),
        ({"origins": ["a.example"]}, {}, {}, ["origins", "'a.example'"]),
        ({"origins": ["https://a.example/"]}, {}, {}, ["origins"]),
        ({"origins": ["*"]}, {}, {}, ["origins"]),
        ({"trusted_proxies": ["proxy.example"]}, {}, {}, ["trusted_proxies", "'proxy.example'"]),
        ({"log": "memory:"}, {}, {}, ["timeline", "log"]),
        ({"ring_s": 0.5}, {}, {}, ["ring_s", "plan_window_ms"]),
    ],
)
def test_what_cannot_work_is_one_sentence(file, environment, flags, words):
    with pytest.raises(Misconfigured) as caught:
        load(file, environment, flags)
    sentence = str(caught.value)
    assert [word for word in words if word not in sentence] == []
    assert sentence.count("\n") == 0
    assert sentence[-1] in ".?"


def test_the_secret_is_told_nowhere():
    told = "t0p-s3cret-" * 4
    loaded = load({}, {"UPROAR_SECRET": told}, {})
    assert loaded.settings.secret == told
    assert "t0p" not in repr(loaded)
    assert "t0p" not in repr(list(loaded.settings.__rich_repr__()))
    assert (shown(loaded.settings, "secret"), shown(Settings(), "secret")) == ("(set)", "(none)")
    with pytest.raises(Misconfigured) as caught:
        load({"secret": ["t0p"]}, {}, {})
    assert "t0p" not in str(caught.value)


def test_the_manual_has_one_whole_line_a_setting():
    lines = list(manual())
    assert [line.name for line in lines] == list(NAMES)
    assert [line.environment for line in lines] == [environment_name(name) for name in NAMES]
    assert [line for line in lines if not (line.bounds and line.sentence.endswith("."))] == []
    assert lines[1] == explain("port")


@pytest.mark.parametrize("line", list(manual()), ids=lambda line: line.name)
def test_what_the_manual_calls_the_default_is_the_default(line):
    assert getattr(settings(environment={line.environment: line.default}), line.name) == getattr(Settings(), line.name)


def test_an_unknown_name_is_explained_by_the_nearest():
    with pytest.raises(Misconfigured, match="did you mean ping_s"):
        explain("pings")


def test_roles():
    assert [Settings().runs(role) for role in ("api", "gateway", "fanout", "persist")] == [True] * 4
    some = settings({"roles": "api,fanout,persist"})
    assert [some.runs(role) for role in ("api", "gateway", "fanout", "persist")] == [True, False, True, True]


def test_the_own_pages_and_the_configured_origins_are_let_in():
    assert settings({"origins": ["https://a.example"], "port": 81}).allowed_origins() == {
        "http://127.0.0.1:81",
        "http://localhost:81",
        "http://[::1]:81",
        "https://a.example",
    }


def test_settings_stay_as_they_were_checked():
    with pytest.raises(AttributeError):
        Settings().port = 1
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"prot": 1}, Settings)


@pytest.mark.parametrize(("written", "read"), [("auto", "auto"), ("1", 1), ("64", 64), (3, 3)])
def test_gateways_are_counted_or_chosen(written, read):
    assert load({}, {}, {"gateways": written}).settings.gateways == read


@pytest.mark.parametrize("written", ["0", "65", "many", "1.5"])
def test_other_gateways_are_refused_in_words(written):
    with pytest.raises(Misconfigured, match="a whole number from 1 to 64 or auto"):
        load({}, {}, {"gateways": written})
