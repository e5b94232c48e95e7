"""A link is what most programs would make one of; a missing space is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uproar.moderation.links import has_link


@pytest.mark.parametrize(
    "text",
    [
        "http://example.org",
        "HTTPS://EXAMPLE.ORG",
        "look:https://x.y/z",
        "http://127.0.0.1:8080/",
        "steam://run/1",
        "www.example.museum",
        "example.com",
        "see example.com, it is good",
        "(example.io)",
        "Example.COM!",
        "example.com.",
        "example.com:8080/x",
        "sub.example.co.uk",
        "example。com",
        "ｅｘａｍｐｌｅ．ｃｏｍ",
        "exa\u200bmple.com",
        "пример.рф",
        "xn--e1afmkfd.xn--p1ai",
        "例え.jp",
        "看example.com吧",
        "看这里：example.com",
        "t.me/example",
        "discord.gg/abc",
        "youtu.be/x?y=z",
        "ann@example.com",
        "either/example.com",
        "😂example.tv😂",
    ],
)
def test_a_link(text):
    assert has_link(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "e.g.",
        "i.e. this",
        "3.14",
        "v1.2.3",
        "10:30",
        "1.2.3.4",
        "Mr.Smith",
        "ok.so what",
        "what.is.it",
        "I said no.to you",
        "ça.ca va",
        "U.S.A.",
        "wait...com",
        "wait…com",
        ".com",
        "dot com",
        "com",
        "and/or",
        "node.js",
        "我爱你。中国",
        "http://",
        "://",
        "x :// y",
        "www.",
        "www",
        "#hashtag @ann",
        "\ud800.\ud800",
    ],
)
def test_no_link(text):
    assert not has_link(text)


@given(st.text(st.characters(exclude_categories=())))
def test_a_url_is_found_wherever_it_stands(text):
    assert has_link(f"{text} https://example.org {text}")


@given(st.text(st.characters(categories=("L", "N", "Zs"))))
def test_where_no_full_stop_is_there_is_no_link(text):
    assert not has_link(text)
