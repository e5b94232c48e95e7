"""The page in a real browser before the real server."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

CORPORA = Path(__file__).parents[3] / "shared" / "data" / "corpora"


def test_two_readers_see_each_others_comments_and_how_many_they_are(reader):
    ann, bob = reader().sign_in("Ann"), reader().sign_in("Bob")
    ann.say("hello from Ann")
    bob.say("hello from Bob")
    for one in (ann, bob):
        expect(one.comment("hello from Ann")).to_have_count(1)
        expect(one.comment("hello from Bob")).to_have_count(1)
    expect(bob.comment("hello from Ann").locator(".name")).to_have_text("Ann")
    expect(ann.page.locator("#viewers")).to_have_text("2", timeout=15_000)


def test_a_guest_chooses_a_name_and_is_the_same_after_a_reload(reader):
    guest = reader()
    expect(guest.page.locator("#open-door")).to_be_visible()
    guest.page.fill("#name", "Nina")
    guest.page.press("#name", "Enter")
    guest.say("I am new")
    expect(guest.comment("I am new")).to_have_count(1)
    guest.page.reload()
    expect(guest.comment("I am new")).to_have_count(1)
    guest.say("still me")
    expect(guest.comment("still me").locator(".name")).to_have_text("Nina")
    guest.page.click("#leave")
    expect(guest.page.locator("#name")).to_be_visible()


def test_a_refused_text_stays_in_the_box_with_its_reason_and_when_to_try_again(reader):
    ann, bob = reader().sign_in("Ann"), reader()
    for number in range(5):
        ann.say(f"quick {number}")
        expect(ann.comment(f"quick {number}")).to_have_count(1)
    ann.say("one too many")
    expect(ann.page.locator("#advice")).to_contain_text(re.compile(r"Try again in \d+ s"))
    expect(ann.page.locator("#text")).to_have_value("one too many")
    expect(ann.page.locator(".comment.pending")).to_have_count(0)
    expect(bob.comment("quick 4")).to_have_count(1)
    assert "one too many" not in bob.texts()


def test_a_refused_token_is_told_and_forgotten(reader):
    ann = reader()
    ann.page.click("#token-door summary")
    ann.page.fill("#token", "not a token")
    ann.page.click("#tokening button")
    expect(ann.page.locator("#advice")).to_be_visible()
    expect(ann.page.locator("#naming")).to_be_visible()
    assert ann.page.evaluate("localStorage.length") == 0


def test_where_guests_are_not_let_in_the_page_asks_for_a_token(reader):
    ann = reader()
    ann.page.route("**/v1/guests", lambda route: route.fulfill(status=404, json={"message": "no"}))
    ann.page.fill("#name", "Ann")
    ann.page.press("#name", "Enter")
    expect(ann.page.locator("#token")).to_be_visible()
    expect(ann.page.locator("#name")).to_be_hidden()
    ann.complaints.clear()  # a 404 is an error to every console


def test_a_reply_shows_its_parent_and_leads_to_it(reader):
    ann, bob = reader().sign_in("Ann"), reader().sign_in("Bob")
    ann.say("who is there?")
    bob.act("who is there?", "Reply")
    bob.say("me")
    preview = ann.comment("me").locator(".parent")
    expect(preview).to_contain_text("who is there?")
    preview.click()
    expect(ann.comment("who is there?")).to_be_focused()


def test_reactions_are_counted_for_everyone_and_bursts_use_their_elements_again(reader):
    ann, bob = reader(), reader()
    for one in (ann, bob):
        one.page.emulate_media(reduced_motion="no-preference")
    heart = ann.page.locator("#reactions button").first
    for _ in range(7):
        heart.click()
    expect(bob.page.locator("#reactions .total").first).to_have_text("7")
    expect(bob.page.locator("#bursts span").first).to_be_attached()
    assert 1 <= bob.page.locator("#bursts span").count() <= 7


def test_a_like_is_counted_and_taken_back(reader):
    ann, bob = reader().sign_in("Ann"), reader().sign_in("Bob")
    ann.say("like me")
    bob.act("like me", "Like")
    expect(ann.comment("like me").locator(".likes")).to_have_text("♥ 1")
    bob.act("like me", "Unlike")
    expect(ann.comment("like me").locator(".likes")).to_have_count(0)


def test_a_report_is_acknowledged(reader):
    ann, bob = reader().sign_in("Ann"), reader().sign_in("Bob")
    ann.say("buy my coins")
    bob.act("buy my coins", "Report")
    bob.page.select_option("#reporting select", "A scam")
    bob.page.click("#reporting button.main")
    expect(bob.page.locator("#advice")).to_contain_text("Thank you")


def test_a_moderator_pins_and_removes_and_others_have_no_such_buttons(reader):
    ann, mod = reader().sign_in("Ann"), reader().sign_in("Mod", "moderator")
    ann.say("pin me")
    mod.act("pin me", "Pin")
    expect(ann.page.locator("#pinned .text")).to_have_text("pin me")
    mod.act("pin me", "Unpin")
    expect(ann.page.locator("#pinned")).to_be_hidden()
    mod.say("mine")
    expect(ann.comment("mine").locator("[data-act=remove], [data-act=pin], [data-act=ban]")).to_have_count(0)
    mod.act("pin me", "Remove")
    expect(ann.comment("pin me")).to_have_count(0)


def test_a_ban_mutes_and_takes_away_what_was_written(reader):
    ann, mod = reader().sign_in("Cora"), reader().sign_in("Mod", "moderator")
    ann.say("something bad")
    mod.act("something bad", "Ban")
    mod.page.check("#banning input[name=remove]")
    mod.page.click("#banning button.main")
    expect(ann.comment("something bad")).to_have_count(0)
    ann.say("and again")
    expect(ann.page.locator("#text")).to_have_value("and again")
    expect(ann.page.locator("#advice")).to_be_visible()


def test_who_scrolled_up_stays_there_and_is_told_how_much_is_new(reader, server, stream):
    token = server.token("Bridge", "importer")
    ann = reader()
    for number in range(40):
        assert server.call("POST", f"/v1/streams/{stream}/comments", {"text": f"line {number}"}, token)[0] == 201
    expect(ann.comment("line 39")).to_be_in_viewport()
    ann.page.eval_on_selector("#comments", "list => { list.scrollTop = 0; }")
    ann.page.wait_for_function("document.getElementById('comments').scrollTop === 0")
    for number in range(40, 43):
        server.call("POST", f"/v1/streams/{stream}/comments", {"text": f"line {number}"}, token)
    expect(ann.page.locator("#newer")).to_have_text("3 new")
    expect(ann.comment("line 0")).to_be_in_viewport()
    ann.page.click("#newer")
    expect(ann.comment("line 42")).to_be_in_viewport()
    expect(ann.page.locator("#newer")).to_be_hidden()


def test_after_a_crash_of_the_server_nothing_is_missing_or_doubled(reader, server, stream):
    ann, bob = reader().sign_in("Ann"), reader().sign_in("Bob")
    for number in range(3):
        ann.say(f"before {number}")
        expect(bob.comment(f"before {number}")).to_have_count(1)
    server.kill()
    expect(ann.page.locator("#state")).to_have_text("Reconnecting…")
    ann.say("while it was down")
    expect(ann.page.locator(".comment.pending .text")).to_have_text("while it was down")
    server.start()
    for one in (ann, bob):
        expect(one.page.locator("#state")).to_have_text("Live", timeout=40_000)
        expect(one.comment("while it was down")).to_have_count(1, timeout=15_000)
    bob.say("after")
    expect(ann.comment("after")).to_have_count(1)
    kept = server.call("GET", f"/v1/streams/{stream}/comments")[1]["comments"]
    expected = ["before 0", "before 1", "before 2", "while it was down", "after"]
    assert ann.texts() == bob.texts() == [comment["text"] for comment in reversed(kept)] == expected
    for one in (ann, bob):
        one.complaints[:] = [complaint for complaint in one.complaints if "ERR_CONNECTION" not in complaint]


def test_the_page_fits_a_small_phone_and_is_walked_with_the_keyboard(reader):
    ann = reader().sign_in("Ann")
    ann.page.set_viewport_size({"width": 360, "height": 640})
    ann.say("W" * 300)
    expect(ann.comment("W" * 300)).to_have_count(1)
    assert ann.page.evaluate("document.documentElement.scrollWidth") <= 360
    ann.page.focus("#comments")
    ann.page.keyboard.press("ArrowUp")
    expect(ann.comment("W" * 300)).to_be_focused()
    ann.page.keyboard.press("Tab")
    expect(ann.page.locator(":focus")).to_have_text("Reply")


def test_every_answer_of_the_page_forbids_foreign_and_inline_code(server, browser):
    page = browser.new_context().new_page()
    answers = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(server.url)
    expect(page.locator("#state")).to_have_text("Live")
    policy = next(answer for answer in answers if answer.url == f"{server.url}/").headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert all(answer.url.startswith(server.url) for answer in answers)
    page.context.close()


@pytest.mark.skipif(not CORPORA.parents[1].is_dir(), reason="the shared data are not beside this checkout")
def test_naughty_strings_come_back_as_the_same_text_and_run_nothing(reader, server, stream):
    strings = json.loads((CORPORA / "naughty-strings.json").read_text("utf-8"))
    token = server.token("<img src=x onerror=alert(1)>", "importer")
    ann = reader()
    kept = {}
    for text in strings:
        status, body = server.call("POST", f"/v1/streams/{stream}/comments", {"text": text}, token)
        assert status in (201, 422), (text, status, body)
        if status == 201:
            kept[body["id"]] = body["text"]
    assert len(kept) > 400
    newest = dict(sorted(kept.items(), key=lambda pair: int(pair[0]))[-500:])
    expect(ann.page.locator("#comments .comment")).to_have_count(len(newest), timeout=20_000)
    assert (
        ann.page.evaluate(
            "Object.fromEntries([...document.querySelectorAll('#comments .comment')]"
            ".map(each => [each.dataset.id, each.querySelector('.text').textContent]))"
        )
        == newest
    )
    assert ann.page.locator("#comments img, #comments script, #comments iframe, #comments a").count() == 0


@pytest.mark.skipif(not CORPORA.parents[1].is_dir(), reason="the shared data are not beside this checkout")
def test_markup_typed_into_the_box_is_text_to_everyone(reader):
    strings = json.loads((CORPORA / "naughty-strings.json").read_text("utf-8"))
    typed = [text for text in strings if "<" in text and "\n" not in text and text == text.strip()][:60]
    ann, bob = reader().sign_in("Porter", "importer"), reader()
    for text in typed:
        ann.say(text)
        expect(ann.page.locator(".comment.pending")).to_have_count(0)
        ann.page.fill("#text", "")  # a refused one
    kept = ann.texts()
    assert len(kept) > 40
    assert set(kept) <= set(typed)
    expect(bob.page.locator("#comments .comment")).to_have_count(len(kept))
    assert bob.texts() == kept
