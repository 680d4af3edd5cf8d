"""The page in Chromium, as a person would use it."""
import os
import re
import shutil

import pytest

from browser import Browser
from line import wait_until


@pytest.fixture(scope="module")
def browser(line):
    it = Browser()
    yield it
    it.close()


@pytest.fixture
def page(browser, line):
    """Logged in, at Send, with nothing typed."""
    browser.driver.delete_all_cookies()
    browser.open(line.lan)
    browser.driver.execute_script("sessionStorage.clear()")
    browser.open("about:blank")
    browser.log_in(line.lan)
    yield browser
    assert browser.complaints() == []


def send(page, document, number):
    page.find("#file").send_keys(document)
    page.wait(lambda: re.search(r"\d+ pages?\b", page.find(".papers").text))
    page.find("#to").send_keys(number)
    page.button("Send").click()


def test_the_whole_of_it_log_in_send_follow_receive_open_log_out(page, line, person, documents):
    page.see("PRACTICE LINE")
    send(page, documents["letter"], "+1 500 555 0006")
    page.see("To +1 500 555 0006")
    assert "#/fax/" in page.driver.current_url
    page.see("Delivered, 1 page", 40)
    page.wait(lambda: page.driver.title.startswith("Delivered"))
    page.driver.refresh()
    page.see("Delivered, 1 page")
    page.find('.places a[href="#/received"]').click()
    page.wait(lambda: any("+1 500 555 0006" in one.text and "Received" in one.text for one in page.all(".lines a")), 30)
    page.appears("#unread")
    page.wait(lambda: page.all(".lines a")[0].click() is None)
    page.see("From +1 500 555 0006")
    link = page.button("Open the document").get_attribute("href")
    assert person.get(link).headers["Content-Type"] == "application/pdf"
    page.see("Delivered to the mailbox")
    page.button("Mark as new").click()
    page.button("Mark as read")
    page.find('.places a[href="#/sent"]').click()
    page.wait(lambda: any("Delivered" in one.text for one in page.all(".lines a")))
    page.find("#logout").click()
    page.appears("#username")
    page.driver.refresh()
    page.appears("#username")


def test_a_wrong_password_is_said_and_the_name_stays(browser, line):
    browser.driver.delete_all_cookies()
    browser.open(line.lan)
    browser.driver.refresh()
    browser.appears("#username").send_keys("fax")
    browser.find("#password").send_keys("wrong")
    browser.button("Log in").click()
    browser.see("not right")
    assert browser.find("#username").get_attribute("value") == "fax"


def test_what_is_missing_is_said_beside_its_field(page):
    page.button("Send").click()
    page.see("Choose a document first.")
    page.find("#to").send_keys("12\t")
    page.see("too short")
    assert page.find("#to").get_attribute("aria-invalid") == "true"


def test_a_number_is_shown_as_what_it_is_before_it_is_sent(page):
    page.find("#to").send_keys("+49 30 123456")
    page.see("Germany")
    page.find("#to").clear()
    page.find("#to").send_keys("+2125551212\t")
    page.see("+1 212 555 1212")
    page.button("Use +1 212 555 1212").click()
    page.see("United States")


def test_what_is_said_of_a_number_stays_when_the_field_is_left(page):
    field = page.find("#to")
    field.clear()
    field.send_keys("+2125551212\t")
    use = page.button("Use +1 212 555 1212")
    # Longer than the page waits after a key before it looks a number up.
    page.driver.execute_async_script("setTimeout(arguments[0], 700)")
    assert use.is_displayed(), page.text()
    use.click()
    page.see("United States")


def test_documents_that_cannot_be_faxed_are_refused_before_send(page, documents):
    page.find("#file").send_keys(documents["encrypted"])
    page.see("protected by a password")
    page.button("Remove").click()
    page.find("#file").send_keys(documents["page"])
    page.see("not a PDF")
    page.button("Remove").click()
    page.find("#file").send_keys(documents["empty"])
    page.see("This file is empty.")


@pytest.fixture
def slow_upload(page):
    """10 kB a second upwards, until it is told another figure; -1 is as fast as it can."""
    def set_to(bytes_a_second):
        page.driver.execute_cdp_cmd("Network.enable", {})
        page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_a_second})
    set_to(10_000)
    yield set_to
    set_to(-1)


def large(path, documents):
    """The letter, with a comment of 200 kB behind it."""
    with open(documents["letter"], "rb") as letter, open(path, "wb") as file:
        file.write(letter.read() + b"\n" + (b"%" * 99 + b"\n") * 2000)
    return str(path)


def test_an_upload_under_way_can_be_taken_away(page, slow_upload, documents, tmp_path):
    page.find("#file").send_keys(large(tmp_path / "slow.pdf", documents))
    remove = page.button("Remove")
    page.wait(lambda: float(page.find("progress").get_attribute("value")) > 0.1)
    remove.click()
    page.wait(lambda: not page.all(".paper"))


def test_an_upload_goes_on_while_one_looks_elsewhere(page, slow_upload, documents, tmp_path):
    page.find("#file").send_keys(large(tmp_path / "walk.pdf", documents))
    page.wait(lambda: page.all("progress"))
    page.driver.execute_script("document.querySelector('.places a[href=\"#/sent\"]').click()")
    page.wait(lambda: "#/sent" in page.driver.current_url and not page.all("#to"))
    page.driver.back()
    page.wait(lambda: page.all("progress"))
    slow_upload(-1)
    page.wait(lambda: "1 page" in page.find(".papers").text)
    page.button("Remove").click()


def test_an_upload_that_ends_while_one_looks_elsewhere_is_shown_as_done(page, slow_upload, documents, tmp_path):
    page.find("#file").send_keys(large(tmp_path / "away.pdf", documents))
    page.wait(lambda: page.all("progress"))
    page.driver.execute_script("document.querySelector('.places a[href=\"#/sent\"]').click()")
    page.wait(lambda: "#/sent" in page.driver.current_url and not page.all("#to"))
    slow_upload(-1)
    page.wait(lambda: page.driver.execute_script("return performance.getEntriesByType('resource').some((one) => /\\/api\\/documents/.test(one.name))"))
    page.driver.back()
    page.wait(lambda: "1 page" in page.find(".papers").text)
    page.button("Remove").click()


def test_too_large_is_told_before_the_upload_starts(page, tmp_path):
    large = tmp_path / "large.pdf"
    with open(large, "wb") as file:
        file.write(b"%PDF-1.4\n")
        file.truncate(60_000_000)
    page.find("#file").send_keys(str(large))
    page.see("Too large: 60.0 MB")


def test_a_double_click_on_send_is_one_fax(page, line, person, documents):
    before = len(line_faxes(line, person, "2125550999"))
    page.find("#file").send_keys(documents["letter"])
    page.wait(lambda: "1 page" in page.find(".papers").text)
    page.find("#to").send_keys("+12125550999")
    page.driver.execute_script("const b = [...document.querySelectorAll('button')].find((one) => one.textContent === 'Send'); b.click(); b.click(); b.form.requestSubmit();")
    page.see("To +1 212 555 0999")
    assert len(line_faxes(line, person, "2125550999")) == before + 1


def line_faxes(line, person, digits):
    return person.get(line.lan + "/api/faxes", params={"q": digits, "direction": "outbound"}).json()["faxes"]


def test_a_session_that_ends_while_one_types_loses_nothing(page, line, documents):
    page.find("#file").send_keys(documents["letter"])
    page.wait(lambda: "1 page" in page.find(".papers").text)
    page.find("#to").send_keys("+12125550888")
    page.driver.delete_all_cookies()
    page.button("Send").click()
    page.see("You have been logged out")
    assert page.find("#to").get_attribute("value") == "+12125550888"
    page.find(".again #username").send_keys("fax")
    page.find(".again #password").send_keys("correct horse battery")
    page.find(".again button").click()
    page.see("To +1 212 555 0888")


def test_a_fax_can_be_canceled_and_sent_again(page, line, person, documents):
    line.command("sandbox", "fault", "rate-limit", "--seconds", "20")
    send(page, documents["letter"], "+15005550004")
    page.see("The next try follows by itself", 30)
    page.button("Cancel").click()
    page.see("Canceled.", 20)
    before = len(line_faxes(line, person, "5005550004"))
    page.button("Send again")
    page.driver.execute_script("const b = [...document.querySelectorAll('button')].find((one) => one.textContent === 'Send again'); b.click(); b.click();")
    page.see("Sent again from")
    page.button("Cancel").click()
    page.see("Canceled.", 20)
    assert len(line_faxes(line, person, "5005550004")) == before + 1


@pytest.fixture
def slow_send(page):
    """POST /api/faxes answers when it is told to: "go" takes it to the line, "fail" cuts it off."""
    page.driver.execute_script("""
        const real = window.fetch;
        window.fetch = (path, options) => (options && options.method === 'POST' && path === '/api/faxes'
            ? new Promise((resolve, reject) => { window.answer = (how) => (how === 'go' ? real(path, options).then(resolve, reject) : reject(new TypeError('cut off'))); })
            : real(path, options));
    """)
    return lambda how: page.driver.execute_script("window.answer(arguments[0])", how)


def go_to(page, place):
    page.driver.execute_script("document.querySelector(`.places a[href=\"#/${arguments[0]}\"]`).click()", place)
    page.wait(lambda: f"#/{place}" in page.driver.current_url)


def test_what_became_of_a_send_is_told_wherever_one_is(page, slow_send, line, person, documents):
    send(page, documents["letter"], "+12125550661")
    page.button("Sending…")
    go_to(page, "sent")
    slow_send("fail")
    page.see("The fax to +1 212 555 0661 was not taken")
    page.driver.find_element("link text", "To that fax").click()
    page.see("The line cannot be reached")
    assert page.find("#to").get_attribute("value") == "+12125550661"
    page.button("Send").click()
    page.button("Sending…")
    go_to(page, "received")
    slow_send("go")
    page.wait(lambda: len(line_faxes(line, person, "2125550661")) == 1)
    assert "#/received" in page.driver.current_url
    go_to(page, "send")
    page.wait(lambda: not page.all(".paper") and page.find("#to").get_attribute("value") == "")


def test_what_is_typed_for_the_next_fax_outlives_the_answer_to_the_last(page, slow_send, line, person, documents):
    send(page, documents["letter"], "+12125550662")
    page.button("Sending…")
    go_to(page, "sent")
    go_to(page, "send")
    page.find("#to").clear()
    page.find("#to").send_keys("+12125550663")
    slow_send("go")
    page.wait(lambda: len(line_faxes(line, person, "2125550662")) == 1)
    page.button("Send")
    assert page.find("#to").get_attribute("value") == "+12125550663"
    assert "#/send" in page.driver.current_url


def test_a_reload_loses_nothing_and_sends_nothing_twice(page, slow_send, line, person, documents):
    send(page, documents["letter"], "+12125550664")
    page.button("Sending…")
    slow_send("go")
    page.wait(lambda: len(line_faxes(line, person, "2125550664")) == 1)
    page.see("To +1 212 555 0664")
    go_to(page, "send")
    page.find("#file").send_keys(documents["letter"])
    page.wait(lambda: "1 page" in page.find(".papers").text)
    page.find("#to").send_keys("+12125550665")
    page.driver.refresh()
    page.wait(lambda: "1 page" in page.find(".papers").text)
    assert page.find("#to").get_attribute("value") == "+12125550665"
    # The answer to this one is lost with the page that waited for it.
    page.driver.execute_script("""
        const real = window.fetch;
        window.fetch = (path, options) => (options && options.method === 'POST' && path === '/api/faxes' ? real(path, options).then(() => new Promise(() => {})) : real(path, options));
    """)
    page.button("Send").click()
    page.wait(lambda: len(line_faxes(line, person, "2125550665")) == 1)
    page.driver.refresh()
    page.wait(lambda: "1 page" in page.find(".papers").text)
    page.button("Send").click()
    page.see("To +1 212 555 0665")
    assert len(line_faxes(line, person, "2125550665")) == 1


def test_a_log_in_after_one_walked_away_still_sends(page, line, person, documents):
    page.find("#file").send_keys(documents["letter"])
    page.wait(lambda: "1 page" in page.find(".papers").text)
    page.find("#to").send_keys("+12125550666")
    page.driver.delete_all_cookies()
    page.button("Send").click()
    page.see("You have been logged out")
    go_to(page, "sent")
    page.find(".again #username").send_keys("fax")
    page.find(".again #password").send_keys("correct horse battery")
    page.find(".again button").click()
    page.wait(lambda: len(line_faxes(line, person, "2125550666")) == 1)


def test_an_ended_session_does_not_take_the_keyboard(page):
    go_to(page, "received")
    page.find("input[type=search]").send_keys("12")
    page.driver.delete_all_cookies()
    page.see("You have been logged out")
    page.driver.switch_to.active_element.send_keys("34")
    assert page.find("input[type=search]").get_attribute("value") == "1234"


def test_the_link_to_the_content_stays_in_its_place(page):
    go_to(page, "received")
    page.driver.execute_script("document.querySelector('.skip').click()")
    assert page.driver.execute_script("return document.activeElement.id") == "main"
    assert "#/received" in page.driver.current_url


def test_a_fax_without_a_document_offers_none(page, line, person, documents):
    fax = line.send(person, "+12125550667", documents["encrypted"]).json()
    page.open(f"{line.lan}/#/fax/{fax['id']}")
    page.see("protected by a password", 30)
    page.button("Send another")
    assert "Open the document" not in page.text() and "Send again" not in page.text()


def test_empty_places_teach_and_search_finds_nothing_politely(page, line):
    page.open(line.lan + "/#/sent?q=99999999")
    page.see("No fax to a number with “99999999” in it.")


def focused(page):
    return page.driver.execute_script("return document.activeElement.textContent")


def test_what_moves_by_itself_takes_neither_focus_nor_press(page, line, person, documents):
    line.send(person, "+12125550778", documents["letter"])
    page.find('.places a[href="#/sent"]').click()
    page.wait(lambda: page.all(".lines a"))
    href = page.driver.execute_script("const link = document.querySelector('.lines a'); link.focus(); return link.getAttribute('href')")
    # The mouse is down on a line while another fax comes into the list.
    place = page.all(".lines a")[0].rect
    x, y = place["x"] + 20, place["y"] + 10
    page.driver.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mousePressed", "x": x, "y": y, "button": "left", "clickCount": 1})
    page.driver.execute_script("document.querySelector(`.lines a[href='${arguments[0]}']`).wasHere = true", href)
    fax = line.send(person, "+12125550777", documents["letter"]).json()
    asked = "return performance.getEntriesByType('resource').filter((one) => one.name.includes('/api/faxes?')).length"
    before = page.driver.execute_script(asked)
    page.wait(lambda: page.driver.execute_script(asked) > before)
    page.driver.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseReleased", "x": x, "y": y, "button": "left", "clickCount": 1})
    page.wait(lambda: page.driver.current_url.endswith(href))
    page.driver.back()
    page.wait(lambda: any(fax["id"] in one.get_attribute("href") for one in page.all(".lines a")))
    page.driver.execute_script("document.querySelector(`.lines a[href='${arguments[0]}']`).focus()", href)
    line.send(person, "+12125550776", documents["letter"])
    page.wait(lambda: "+1 212 555 0776" in page.text())
    assert page.driver.execute_script("return document.activeElement.getAttribute('href')") == href


@pytest.mark.parametrize("e164, shown", [("+12125550100", "+1 212 555 0100"), ("+493012345678", "+49 301 234 5678"), ("+33123456789", "+33 123 456 789"), ("+3545551234", "+354 555 1234"),
                                         ("sip:fax@example.org;transport=tls", "fax@example.org"), (None, "a withheld number")])
def test_numbers_are_shown_in_groups(page, e164, shown):
    assert page.driver.execute_async_script("const [e164, done] = arguments; import('/js/words.js').then((words) => done(words.number(e164)))", e164) == shown


def test_a_delete_is_asked_about_and_the_keyboard_goes_on(page, line, person, documents):
    fax = line.send(person, "+12125550775", documents["letter"]).json()
    page.open(f"{line.lan}/#/fax/{fax['id']}")
    page.see("Delivered", 40)
    page.button("Delete").click()
    page.button("Delete for good")
    assert focused(page) == "Keep it"
    page.driver.switch_to.active_element.send_keys("\n")
    page.button("Delete")
    assert focused(page) == "Delete"
    # A second press that was meant for the first button deletes nothing.
    page.driver.execute_script("document.activeElement.click(); [...document.querySelectorAll('button')].find((one) => one.textContent === 'Delete for good').click()")
    page.driver.execute_async_script("setTimeout(arguments[0], 800)")  # longer than a double click may take
    assert person.get(f"{line.lan}/api/faxes/{fax['id']}").status_code == 200
    page.button("Delete for good").click()
    page.wait(lambda: "#/sent" in page.driver.current_url)
    assert person.get(f"{line.lan}/api/faxes/{fax['id']}").status_code == 404


def test_an_answer_that_comes_late_does_not_replace_what_was_searched_for(page, line, person, documents):
    line.send(person, "+12125550772", documents["letter"])
    page.find('.places a[href="#/sent"]').click()
    page.wait(lambda: page.all(".lines a"))
    page.driver.execute_script("""
        const real = window.fetch;
        window.late = 0;
        window.fetch = async (path, options) => {
          const answer = await real(path, options);
          if (path.startsWith('/api/faxes?') && !path.includes('q=')) { window.late += 1; await new Promise((go) => { window.release = go; }); window.late = -1; }
          return answer;
        };""")
    page.wait(lambda: page.driver.execute_script("return window.late") > 0)
    page.find("input[type=search]").send_keys("99999999")
    page.see("No fax to a number with “99999999” in it.")
    page.driver.execute_script("window.release()")
    page.wait(lambda: page.driver.execute_script("return window.late") < 0)
    page.driver.execute_async_script("setTimeout(arguments[0])")
    assert "No fax to a number with" in page.text() and not page.all(".lines a")
    page.driver.refresh()


def test_a_line_that_does_not_answer_is_said(page, line, person, documents):
    fax = line.send(person, "+12125550774", documents["letter"]).json()
    page.open(f"{line.lan}/#/fax/{fax['id']}")
    page.see("To +1 212 555 0774")
    page.driver.execute_script("window.fetch = (path, options) => new Promise((_, refuse) => { if (options.signal) options.signal.addEventListener('abort', () => refuse(options.signal.reason)); })")
    page.see("The line has not been reachable since", 40)
    page.see("The fax goes on without this page")
    page.driver.refresh()


def test_who_logs_in_next_does_not_see_what_was_typed(page, line, documents):
    page.find("#file").send_keys(documents["letter"])
    page.wait(lambda: "1 page" in page.find(".papers").text)
    page.find("#to").send_keys("+12125550773")
    page.find("#logout").click()
    page.appears("#username").send_keys("fax")
    page.find("#password").send_keys("correct horse battery\n")
    page.wait(lambda: page.all("#to"))
    assert page.find("#to").get_attribute("value") == "" and not page.all(".paper")


@pytest.mark.parametrize("width, dark", [(360, False), (768, True), (1280, True)])
def test_nothing_is_cut_off_or_overlaps_at_any_width(line, person, documents, tmp_path, width, dark):
    fax = line.send(person, "+15005550001", documents["letter"]).json()
    browser = Browser(width, 800, dark)
    try:
        browser.log_in(line.lan)
        for place in ("send", "sent", "received", "fax/" + fax["id"]):
            browser.open(f"{line.lan}/#/{place}")
            browser.appears("main h1")
            if place == "send":
                for name in ("Scan_20261126_143012_HP_OfficeJet.pdf", "Kündigung Mietvertrag " + 150 * "x" + ".pdf"):
                    browser.find("#file").send_keys(str(shutil.copy(documents["letter"], tmp_path / name)))
                browser.wait(lambda: browser.find(".papers").text.count("1 page") == 2)
            assert browser.driver.execute_script("return document.documentElement.scrollWidth") <= width, place
            outside = browser.driver.execute_script("return [...document.querySelectorAll('body *')].filter((e) => e.offsetParent && !e.classList.contains('skip') && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX === 'visible' && getComputedStyle(e).display === 'block').map((e) => e.outerHTML.slice(0, 80))")
            assert outside == [], f"{place}: cut off: {outside}"
            small = browser.driver.execute_script("return [...document.querySelectorAll('button, a, input')].filter((e) => e.offsetParent && e.type !== 'file' && !e.classList.contains('skip') && e.getBoundingClientRect().height < 43.5).map((e) => e.outerHTML.slice(0, 80))")
            assert small == [], f"smaller than a finger: {small}"
        assert browser.complaints() == []
    finally:
        browser.close()


def test_a_refused_message_of_the_provider_is_shown_in_plain_words(line, page):
    fields = {"FaxSid": "FX" + "7" * 32, "AccountSid": line.conf["TWILIO_SID"], "From": "+12125550100", "To": "+15005550006"}
    assert line.webhook("/fax/initialize", fields, signed=False).status_code == 403
    page.see("A fax may be lost: a message of the provider was refused.", 25)
    page.see("without a signature")
    for width in (360, 1280):
        page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": 780, "deviceScaleFactor": 1, "mobile": width < 600})
        assert page.driver.execute_script("return document.documentElement.scrollWidth") <= width
        note = page.find("#strip .note")
        assert note.is_displayed() and note.size["width"] > 0.9 * (width - 40) * (1 if width < 600 else 0.7)
    assert line.webhook("/fax/initialize", fields).status_code == 200
    page.wait(lambda: not page.all("#strip .note"), 25)


def test_no_older_state_is_drawn_after_a_newer_one(page):
    """A press whose end the page never saw: what waited for it is older than what is drawn when the patience is over."""
    drawn = page.driver.execute_async_script("""
        const done = arguments[0];
        import('/js/dom.js').then(({ drawWhenFree }) => {
            const drawn = [];
            const owner = {};
            const now = Date.now;
            dispatchEvent(new PointerEvent('pointerdown', { button: 0 }));
            drawWhenFree(owner, () => drawn.push('older'));
            Date.now = () => now() + 11_000;
            drawWhenFree(owner, () => drawn.push('newer'));
            Date.now = now;
            dispatchEvent(new PointerEvent('pointerup', { button: 0 }));
            setTimeout(() => done(drawn));
        });
    """)
    assert drawn == ["newer"]
