"""One server and one browser for the page's tests; a reader is a browser profile of its own."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.web.served import BROWSER_FLAGS, Served, chromium

_streams = count(1)


class Reader:
    """Somebody before the page; `complaints` are errors of the console, exceptions and dialogs."""

    def __init__(self, page: Page, server: Served, stream: str) -> None:
        self.page, self.server, self.stream = page, server, stream
        self.complaints: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", self._asked)
        page.goto(f"{server.url}/s/{stream}")
        expect(page.locator("#state")).to_have_text("Live")

    def sign_in(self, name: str, *roles: str) -> "Reader":
        self.page.click("#token-door summary")
        self.page.fill("#token", self.server.token(name, *roles))
        self.page.click("#tokening button")
        expect(self.page.locator("#my-name")).to_have_text(name)
        return self

    def say(self, text: str) -> None:
        self.page.fill("#text", text)
        self.page.press("#text", "Enter")

    def comment(self, text: str):
        """The kept comment with exactly this text."""
        return self.page.locator("#comments .comment:not(.pending, .failed)").filter(
            has=self.page.locator(".text").get_by_text(text, exact=True)
        )

    def act(self, text: str, button: str) -> None:
        self.comment(text).hover()
        self.comment(text).locator(".actions").get_by_role("button", name=button, exact=True).click()

    def texts(self) -> list[str]:
        return self.page.eval_on_selector_all(
            "#comments .comment:not(.pending, .failed) .text", "found => found.map(each => each.textContent)"
        )

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _asked(self, dialog) -> None:
        self.complaints.append(f"a dialog: {dialog.message}")
        dialog.dismiss()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("data"))
    try:
        yield served.start()
    finally:
        served.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=BROWSER_FLAGS)
        yield started
        started.close()


@pytest.fixture
def stream() -> str:
    """A name that no other test uses."""
    return f"page-{next(_streams)}"


@pytest.fixture
def reader(server: Served, browser: Browser, stream: str) -> Iterator[Callable[[], Reader]]:
    """Opens the test's stream for one more reader; at the end nobody may have complained."""
    readers: list[Reader] = []

    def opened() -> Reader:
        readers.append(Reader(browser.new_context().new_page(), server, stream))
        return readers[-1]

    yield opened
    for each in readers:
        each.page.context.close()
    assert [complaint for each in readers for complaint in each.complaints] == []
