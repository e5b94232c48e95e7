"""Take the README's picture: seed a stream with a small chat, and save the page as `docs/page.png`.

Run as `python -m tests.web.take_picture` from the root of the checkout.
"""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import sync_playwright
from websockets.sync.client import connect

from tests.web.served import BROWSER_FLAGS, Served, chromium

PICTURE = Path(__file__).parents[2] / "docs" / "page.png"
TITLE = "Night train to the coast"
SIZE = {"width": 1280, "height": 760}

CHAT = (
    ("Jonas", "good evening from a very rainy Bergen", None),
    ("Aiko", "こんばんは!音がきれい", None),
    ("Priya", "is that the window seat again? 😍", None),
    ("Mira", "It is. Same seat, new mountains.", 2),
    ("Tom", "the light on the water just now!!", None),
    ("Lena", "what time do we reach the bridge?", None),
    ("Olu", "last week it was around 22:40", 5),
    ("Sam", "Be kind to each other, and no spoilers for the tunnel, please.", None),
    ("Matteo", "I put this on while I cook every Friday. Tonight it is risotto: no sudden brakes!", None),
    ("Kwame", "risotto report needed in 20 minutes", 8),
    ("Ines", "🔥🔥🔥", None),
    ("Noor", "first time here, hello everyone", None),
    ("Jonas", "welcome Noor!", 11),
)
"""Who, what, and the line that it answers."""

PINNED = "We cross the high bridge at 22:40. Lights off, please, it is worth it."
LIKES = {3: 5, 6: 3, 8: 4, 12: 2}
CLICKS = (23, 8, 3, 6, 0, 12)
AUDIENCE = 47
STREAM = "coast"
COMMENTS = f"/v1/streams/{STREAM}/comments"


def main() -> None:
    with tempfile.TemporaryDirectory() as data:
        server = Served(Path(data)).start()
        try:
            tokens = seed(server)
            live = f"ws://127.0.0.1:{server.port}/v1/streams/{STREAM}/live"
            with ExitStack() as seats:
                for _ in range(AUDIENCE):
                    seats.enter_context(connect(live, ping_interval=None, close_timeout=1))
                photograph(server, tokens)
        finally:
            server.stop()


def seed(server: Served) -> dict[str, str]:
    """Says the chat; a token for each who took part."""
    tokens = {name: server.token(name) for name, _, _ in CHAT}
    tokens["Mira"] = server.token("Mira", "creator", verified=True)
    tokens["Sam"] = server.token("Sam", f"moderator@{STREAM}")
    done(server.call("PUT", f"/v1/streams/{STREAM}", {"title": TITLE}, tokens["Mira"]))
    pin = done(server.call("POST", COMMENTS, {"text": PINNED}, tokens["Mira"]))["id"]
    done(server.call("PUT", f"/v1/streams/{STREAM}/pins/{pin}", {}, tokens["Mira"]))
    ids: list[str] = []
    for name, text, parent in CHAT:
        draft = {"text": text} | ({} if parent is None else {"reply_to": ids[parent]})
        ids.append(done(server.call("POST", COMMENTS, draft, tokens[name]))["id"])
    for line, likes in LIKES.items():
        for token in list(tokens.values())[:likes]:
            done(server.call("POST", f"/v1/streams/{STREAM}/likes", {"comment": ids[line]}, token))
    return tokens


def photograph(server: Served, tokens: dict[str, str]) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=BROWSER_FLAGS)
        page = browser.new_page(viewport=SIZE, device_scale_factor=1)
        page.goto(f"{server.url}/s/{STREAM}")
        page.click("#token-door summary")
        page.fill("#token", tokens["Priya"])
        page.click("#tokening button")
        page.wait_for_selector("#composer:not([hidden])")
        page.wait_for_selector(".comment .likes")
        for button, clicks in zip(page.locator("#reactions button").all(), CLICKS, strict=True):
            for _ in range(clicks):
                button.click()
        page.fill("#text", "can you hear the rails sing?")
        page.mouse.move(0, 0)
        page.wait_for_timeout(1_300)
        page.screenshot(path=PICTURE)
        browser.close()


def done(answer: tuple[int, dict]) -> dict:
    """The body; raises when the server refused."""
    status, body = answer
    if status >= 300:
        raise RuntimeError(f"{status}: {body}")
    return body


if __name__ == "__main__":
    main()
