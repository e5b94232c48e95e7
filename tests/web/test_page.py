"""The page in a real browser before the real server."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

CORPORA = Path(__file__).parents[3] / "shared" / "data" / "corpora"


def overlaps(a, b):
    return a["left"] < b["right"] and b["left"] < a["right"] and a["top"] < b["bottom"] and b["top"] < a["bottom"]


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


def test_what_is_too_fast_waits_says_how_long_and_can_be_taken_back(reader):
    ann, bob = reader().sign_in("Ann"), reader()
    for number in range(5):
        ann.say(f"quick {number}")
        expect(ann.comment(f"quick {number}")).to_have_count(1)
    ann.say("one too many")
    expect(ann.page.locator("#advice")).to_be_visible()
    ann.say("and two")
    expect(ann.page.locator("#advice")).to_contain_text(re.compile(r"It is sent by itself in \d+ s"))
    expect(ann.page.locator(".comment.pending .text")).to_have_text(["one too many", "and two"])
    assert not {"one too many", "and two"} & set(bob.texts())
    ann.page.locator(".comment.pending").first.get_by_role("button", name="Edit").click()
    expect(ann.page.locator("#text")).to_have_value("one too many")
    ann.page.locator(".comment.pending").get_by_role("button", name="Drop").click()
    expect(ann.page.locator(".comment.pending")).to_have_count(0)


def test_what_is_refused_for_good_stays_by_itself_with_its_reason(reader, server, stream):
    admin = server.token("Root", "admin")
    assert server.call("PUT", f"/v1/streams/{stream}", {"rules": {"words": ["piffle"]}}, admin)[0] in (200, 201)
    ann = reader().sign_in("Ann")
    ann.say("piffle")
    ann.say("this is fine")
    expect(ann.comment("this is fine")).to_have_count(1)
    refused = ann.page.locator(".comment.failed")
    expect(refused.locator(".text")).to_have_text("piffle")
    expect(refused.locator(".why")).to_have_text("Please say it in kinder words.")
    ann.page.fill("#text", "half a thought")
    refused.get_by_role("button", name="Edit").click()
    expect(ann.page.locator("#text")).to_have_value("half a thought")
    ann.page.fill("#text", "")
    refused.get_by_role("button", name="Edit").click()
    expect(ann.page.locator("#text")).to_have_value("piffle")
    expect(refused).to_have_count(0)


def test_what_no_server_would_take_is_not_sent_and_white_space_clears_the_reason(reader):
    ann = reader().sign_in("Ann")
    ann.say("x" * 501)
    expect(ann.page.locator("#advice")).to_contain_text("at most 500 characters")
    expect(ann.page.locator("#room-left")).to_have_text("1 too many")
    ann.say("\n".join("abcdefg"))
    expect(ann.page.locator("#advice")).to_contain_text("at most 5 line breaks")
    ann.say("   ")
    expect(ann.page.locator("#advice")).to_be_hidden()
    expect(ann.page.locator(".comment")).to_have_count(0)


def test_a_reload_keeps_the_draft_its_parent_and_what_was_not_sent(reader, server):
    ann = reader().sign_in("Ann")
    ann.say("answer this")
    ann.page.wait_for_timeout(1_000)  # until it is in the snapshot that a reload is given
    ann.act("answer this", "Reply")
    ann.page.fill("#text", "half an answer")
    ann.page.reload()
    expect(ann.page.locator("#state")).to_have_text("Live")
    expect(ann.page.locator("#text")).to_have_value("half an answer")
    expect(ann.page.locator("#replying-to")).to_have_text("To Ann: answer this")
    server.kill()
    ann.page.press("#text", "Enter")
    expect(ann.page.locator(".comment.pending .text")).to_have_text("half an answer")
    server.start()
    ann.page.reload()
    expect(ann.comment("half an answer")).to_have_count(1, timeout=15_000)
    expect(ann.comment("half an answer").locator(".parent")).to_have_text("↩ Ann: answer this")
    expect(ann.page.locator(".comment.pending")).to_have_count(0)
    ann.complaints[:] = [complaint for complaint in ann.complaints if "ERR_CONNECTION" not in complaint]


def test_joining_leads_to_the_box_and_leaving_back_to_the_name(reader):
    ann, guest = reader().sign_in("Ann"), reader()
    expect(ann.page.locator("#text")).to_be_focused()
    assert ann.page.locator("#text").bounding_box()["height"] > 30
    guest.page.fill("#name", "Nina")
    guest.page.press("#name", "Enter")
    expect(guest.page.locator("#text")).to_be_focused()


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


def test_a_like_that_is_not_taken_is_taken_back_and_told(reader, server):
    ann = reader().sign_in("Ann")
    ann.say("like me")
    expect(ann.comment("like me")).to_have_count(1)
    server.kill()
    try:
        ann.act("like me", "Like")
        expect(ann.page.locator("#advice")).to_contain_text("could not be reached")
        expect(ann.comment("like me").locator("[data-act=like]")).to_have_text("Like")
    finally:
        server.start()
    expect(ann.page.locator("#state")).to_have_text("Live", timeout=40_000)
    ann.complaints[:] = [complaint for complaint in ann.complaints if "ERR_CONNECTION" not in complaint]


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
    mod.page.get_by_role("button", name="Undo").click()
    expect(ann.comment("pin me")).to_have_count(1)


def test_a_ban_mutes_and_takes_away_what_was_written(reader):
    ann, mod = reader().sign_in("Cora"), reader().sign_in("Mod", "moderator")
    ann.say("something bad")
    mod.act("something bad", "Ban")
    mod.page.check("#banning input[name=remove]")
    mod.page.click("#banning button.main")
    expect(ann.comment("something bad")).to_have_count(0)
    ann.say("and again")
    expect(ann.page.locator(".comment.failed .text")).to_have_text("and again")
    expect(ann.page.locator(".comment.failed .why")).not_to_be_empty()


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


def test_who_reads_back_gets_older_comments_and_keeps_the_place(reader, server, stream):
    token = server.token("Bridge", "importer")
    for number in range(150):
        assert server.call("POST", f"/v1/streams/{stream}/comments", {"text": f"line {number}"}, token)[0] == 201
    ann = reader()
    expect(ann.page.locator("#comments .comment")).to_have_count(100)
    ann.page.eval_on_selector("#comments", "list => { list.scrollTop = 0; }")
    expect(ann.page.locator("#comments .comment")).to_have_count(150)
    expect(ann.comment("line 50")).to_be_in_viewport()
    ann.page.eval_on_selector("#comments", "list => { list.scrollTop = 0; }")
    expect(ann.comment("line 0")).to_be_in_viewport()
    bob = server.call("GET", f"/v1/streams/{stream}/comments?limit=200")[1]["comments"][-1]["id"]
    server.call("DELETE", f"/v1/streams/{stream}/comments/{bob}", {}, token)
    expect(ann.comment("line 0")).to_have_count(0)


def test_what_was_written_while_the_server_was_down_goes_out_in_order_and_once(reader, server, stream):
    ann = reader().sign_in("Ann")
    server.kill()
    expect(ann.page.locator("#state")).to_have_text("Reconnecting…")
    written = [f"offline {number}" for number in range(8)]
    for text in written:
        ann.say(text)
    server.start()
    expect(ann.comment("offline 4")).to_have_count(1, timeout=40_000)
    expect(ann.page.locator(".comment.pending .text")).to_have_text(written[5:])
    expect(ann.page.locator("#text")).to_have_value("")
    assert ann.texts() == written[:5]
    ann.complaints[:] = [complaint for complaint in ann.complaints if "ERR_CONNECTION" not in complaint]


def test_a_long_wait_is_counted_down_and_can_be_cut_short(reader):
    ann = reader()
    is_up = False
    ann.page.add_init_script("Math.random = () => 0.9999")
    ann.page.route_web_socket("**/live*", lambda socket: socket.connect_to_server() if is_up else socket.close())
    ann.page.reload()
    expect(ann.page.locator("#away")).to_contain_text(re.compile(r"Trying again in \d+ s"), timeout=15_000)
    expect(ann.page.locator("#away")).to_contain_text("in 4 s", timeout=15_000)
    is_up = True
    ann.page.click("#away-now")
    expect(ann.page.locator("#state")).to_have_text("Live", timeout=2_000)
    expect(ann.page.locator("#away")).to_be_hidden()


def test_a_stream_that_cannot_be_and_one_that_is_not_there_are_told_apart(reader, browser, server):
    page = browser.new_context().new_page()
    for path, name in (("/?stream=bad/stream!", "bad/stream!"), ("/s/%E0%A4%A", "%E0%A4%A")):
        page.goto(server.url + path)
        expect(page.locator("#quiet")).to_contain_text(f"“{name}” cannot be a stream")
        expect(page.locator("#state")).to_have_text("Closed")
    page.context.close()


BOXES = """row => [...row.querySelectorAll('.actions, .name, time, .text')]
    .map(each => each.getBoundingClientRect().toJSON())"""


def hovered(row):
    """The boxes of a row while its buttons show; it may be made anew under the pointer, as when it is kept."""
    for _ in range(50):
        row.hover()
        boxes = row.evaluate(BOXES)
        if boxes[-1]["height"]:
            return boxes
    raise AssertionError("its buttons do not show")


def test_the_buttons_of_a_row_cover_nothing(reader):
    ann = reader().sign_in("Ann with a rather long name, forty chars")
    ann.say("first")
    ann.say("second")
    expect(ann.comment("first")).to_have_count(1)
    *others, bar = hovered(ann.comment("second"))
    above = ann.comment("first").evaluate("row => row.getBoundingClientRect().toJSON()")
    assert bar["top"] >= above["bottom"]
    assert [box for box in others if overlaps(bar, box)] == []


def test_the_buttons_of_a_row_fit_a_finger(reader, browser, server, stream):
    ann = reader().sign_in("Ann")
    ann.say("tap me")
    expect(ann.comment("tap me")).to_have_count(1)
    kept = ann.page.context.storage_state()
    phone = browser.new_context(
        viewport={"width": 390, "height": 780}, has_touch=True, is_mobile=True, storage_state=kept
    )
    page = phone.new_page()
    page.goto(f"{server.url}/s/{stream}")
    row = page.locator("#comments .comment").last
    row.tap()
    expect(row.get_by_role("button", name="Remove")).to_be_in_viewport(ratio=1)
    assert row.get_by_role("button", name="Reply").bounding_box()["height"] >= 44
    *others, bar = row.evaluate(BOXES)
    assert [box for box in others if overlaps(bar, box)] == []
    phone.close()


def test_a_phone_with_its_keyboard_shows_mostly_comments(reader):
    ann = reader().sign_in("Ann")
    ann.page.set_viewport_size({"width": 390, "height": 420})
    ann.page.focus("#text")
    assert ann.page.locator(".stage").bounding_box()["height"] < 60
    expect(ann.page.locator("#open-door")).to_be_hidden()
    expect(ann.page.locator("#state")).to_be_visible()


def test_a_browser_that_is_lost_gets_a_page_with_the_way_and_programs_get_a_problem(browser, server):
    page = browser.new_context().new_page()
    assert page.goto(f"{server.url}/concert").status == 404
    expect(page.get_by_role("link")).to_have_text("/s/concert")
    page.goto(f"{server.url}/a/<b>")
    expect(page.get_by_role("link")).to_have_text("/s/demo")
    page.context.close()
    status, problem = server.call("GET", "/concert")
    assert (status, problem["code"]) == (404, 310)


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
