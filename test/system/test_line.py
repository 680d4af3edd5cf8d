"""The line end to end: out, in, and read by POP3; in both dialects."""
import os
import poplib
import re

import pytest

import documents as document_maker
from line import Line, sha256, wait_until


@pytest.fixture(scope="module", params=["twilio", "signalwire", "postgresql"])
def line(request, line):
    """The line of all tests, one whose provider speaks SignalWire's dialect, which knows no RECEIVE_STORE_MEDIA, and one on PostgreSQL."""
    if request.param == "twilio":
        yield line
        return
    if request.param == "postgresql":
        it = Line(database="postgresql").start()
        yield it
        it.close()
        return
    it = Line(SANDBOX_DIALECT="signalwire", WEBHOOK_SIGNING_KEY="the signing key", RECEIVE_STORE_MEDIA="false", INBOUND_AUTH_USER="signal wire", INBOUND_AUTH_PASS="p@ss:w/rd%+").start()
    yield it
    it.close()


@pytest.fixture(scope="module")
def person(line):
    return line.browser_session()


def test_a_fax_to_our_own_number_goes_out_comes_in_and_is_read_by_pop3(line, person, documents):
    answer = line.send(person, "+1 500 555 0006", documents["letter"])
    assert answer.status_code == 202, answer.text
    made = answer.json()
    assert answer.headers["Location"] == f"/api/faxes/{made['id']}"
    assert made["status"] in ("queued", "preparing", "submitting") and made["final"] is False
    assert made["to"] == "+15005550006" and made["direction"] == "outbound" and made["practice"] is True
    sent = line.final(person, made["id"])
    assert sent["status"] == "delivered", sent
    assert sent["pages"] == document_maker.pages(documents["letter"])
    assert sent["attempt"] == 1 and sent["provider"] == "sandbox"
    assert re.fullmatch("FX[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", sent["provider_id"])
    ats = [event["at"] for event in sent["events"]]
    assert ats == sorted(ats) and len(ats) >= 3
    arrived = wait_until(lambda: next((fax for fax in line.received(person) if fax["created"] >= made["created"] and fax["status"] == "received"), None), 30)
    assert arrived["from"] == "+15005550006" and arrived["to"] == "+15005550006" and arrived["read"] is False
    document = person.get(f"{line.lan}/api/faxes/{arrived['id']}/document.pdf")
    assert document.status_code == 200 and document.headers["Content-Type"] == "application/pdf"
    with open(documents["letter"], "rb") as file:
        whole = file.read()
    given = person.get(f"{line.lan}/api/faxes/{made['id']}/document.pdf").content
    assert sha256(given) == sha256(whole), "the provider is given the document as it was uploaded"
    assert sha256(document.content) == sha256(whole)
    mail = line.mail_of(arrived["provider_id"])
    attachment = next(part for part in mail.walk() if part.get_content_type() == "application/pdf")
    assert sha256(attachment.get_content()) == sha256(whole)
    assert mail["X-Faxline"] == "received" and arrived["provider_id"] in mail["Message-ID"]
    assert "PRACTICE LINE" in mail["Subject"] and "+15005550006" in mail["Subject"]
    assert attachment.get_filename().endswith(".pdf") and attachment["Content-Transfer-Encoding"] == "base64"


@pytest.mark.parametrize("kind", ["scan", "text50", "mixed", "form"])
def test_every_kind_of_document_is_delivered_with_its_pages(line, person, documents, kind):
    made = line.send(person, "+12125551212", documents[kind]).json()
    sent = line.final(person, made["id"])
    assert sent["status"] == "delivered", sent
    assert sent["pages"] == document_maker.pages(documents[kind])


def test_several_documents_are_joined_in_order(line, person, documents):
    made = line.send(person, "+12125551213", documents["letter"], documents["mixed"]).json()
    sent = line.final(person, made["id"])
    assert sent["status"] == "delivered"
    assert sent["pages"] == document_maker.pages(documents["letter"]) + document_maker.pages(documents["mixed"])


@pytest.mark.parametrize("number, code", [("+15005550001", "busy"), ("+15005550002", "no_answer"), ("+15005550003", "transmission_error")])
def test_practice_numbers_end_as_they_should(line, person, documents, number, code):
    made = line.send(person, number, documents["letter"]).json()
    fax = wait_until(lambda: (lambda it: it if it["cause"] else None)(line.fax(person, made["id"])), 40)
    assert fax["cause"]["code"] == code and fax["cause"]["text"] and fax["cause"]["advice"]
    if code == "transmission_error":
        fax = line.final(person, made["id"])
        assert fax["status"] == "failed" and fax["attempt"] == 1, "pages may have arrived: nothing is sent again by itself"
    else:
        assert fax["status"] in ("waiting", "failed", "submitting", "sending")
        assert person.post(f"{line.lan}/api/faxes/{made['id']}/cancel").status_code in (200, 409)
        assert line.final(person, made["id"])["status"] in ("canceled", "failed")


def test_a_number_that_the_provider_refuses_fails_at_once_with_its_words(line, person, documents):
    made = line.send(person, "+15005550005", documents["letter"]).json()
    fax = line.final(person, made["id"])
    assert fax["status"] == "failed" and fax["attempt"] == 1 and fax["cause"]["text"]


def test_encrypted_and_damaged_documents_are_refused_with_the_reason(line, person, documents):
    for kind, code in (("encrypted", "document_encrypted"), ("damaged", "document_damaged")):
        answer = line.send(person, "+12125551212", documents[kind])
        assert answer.status_code == 202, answer.text
        fax = line.final(person, answer.json()["id"])
        assert fax["status"] == "failed" and fax["cause"]["code"] == code, fax
        assert fax["attempt"] == 0, "the provider never heard of it"


def test_a_mail_can_be_deleted_by_pop3(line, person, documents):
    line.command("receive", documents["letter"], "--from", "+12125557777")
    fax = wait_until(lambda: next((it for it in line.received(person, q="2125557777") if it["status"] == "received"), None), 30)
    line.mail_of(fax["provider_id"])
    client = line.pop3()
    count = client.stat()[0]
    for i in range(count):
        client.dele(i + 1)
    client.quit()

    def received():
        try:
            return [mail["Subject"] for mail in line.mails() if mail["X-Faxline"] == "received"]
        except poplib.error_proto as error:
            assert "it's gone" in str(error)  # courier says goodbye first, and deletes then
            return None

    # A notice of another test's fax may have come meanwhile.
    wait_until(lambda: received() == [], 10)
    assert line.fax(person, fax["id"])["status"] == "received", "the mail is a copy; the store is the truth"


def test_without_a_copy_at_the_provider_the_part_media_is_all_there_is(documents):
    line = Line(RECEIVE_STORE_MEDIA="false", INBOUND_AUTH_USER="prov ider", INBOUND_AUTH_PASS="p@ss:w/rd%+")
    try:
        line.start()
        person = line.browser_session()
        line.command("sandbox", "fault", "payload-parts-reordered")
        line.command("receive", documents["scan"], "--from", "+442079460000")
        fax = wait_until(lambda: next((it for it in line.received(person) if it["status"] == "received"), None), 30)
        with open(documents["scan"], "rb") as file:
            whole = file.read()
        assert person.get(f"{line.lan}/api/faxes/{fax['id']}/document.pdf").content == whole
        attachment = next(part for part in line.mail_of(fax["provider_id"]).walk() if part.get_content_type() == "application/pdf")
        assert attachment.get_content() == whole
        # The same line sends, with the password of the seed's bug 7 in both URLs.
        made = line.send(person, "+12125551212", documents["letter"]).json()
        assert line.final(person, made["id"])["status"] == "delivered"
        assert line.webhook("/fax/initialize", {"FaxSid": "FX1", "From": "+1", "To": "+1"}).status_code == 401
    finally:
        line.close()


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_line_goes_on_where_it_was_after_a_kill_of_everything(documents, database):
    import signal
    line = Line(database=database)
    try:
        line.start()
        person = line.browser_session()
        made = line.send(person, "+15005550004", documents["letter"]).json()  # takes a minute
        wait_until(lambda: line.fax(person, made["id"])["status"] == "sending", 30)
        os.killpg(line.process.pid, signal.SIGKILL)
        line.process.wait()
        line.log.close()
        wait_until(lambda: not open_port(int(line.ports["LAN_PORT"])), 10)
        line.start()
        fax = line.fax(person, made["id"])  # the session survived, too
        assert fax["status"] == "sending" and fax["attempt"] == 1
        assert person.post(f"{line.lan}/api/faxes/{made['id']}/cancel").status_code == 200
        fax = line.final(person, made["id"], 90)
        assert fax["attempt"] == 1 and fax["status"] in ("canceled", "delivered")
    finally:
        line.close()


def open_port(port):
    import socket
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_command_names_paths_as_people_know_them(line, tmp_path):
    letter = tmp_path / "letter.pdf"
    sent = line.command("send", str(letter), "+12125551212", check=False)
    assert sent.returncode and str(letter) in sent.stderr, sent.stderr
    letter.write_text("no PDF")
    sent = line.command("send", str(letter), "+12125551212", check=False)
    assert sent.returncode and "/file0" not in sent.stderr, sent.stderr
    settings = dict(entry.split("=", 1) for entry in line.command("config", "check").stdout.splitlines())
    assert (settings["STATE_DIR"], settings["SOCKET_DIR"]) == (f"{line.run_dir}/state", f"{line.run_dir}/socket")
    for words in ([], ["--json"]):
        assert f"{line.run_dir}/state/spool is there" in line.command("doctor", *words, check=False).stdout
