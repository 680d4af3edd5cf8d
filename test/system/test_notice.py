"""People are told: by Maildir, mail server, webhook and command, whatever these do, and a fax never waits for it."""
import base64
import hashlib
import json
import os
import subprocess
import tempfile

import pytest
from line import Line, wait_until
from mail_server import Hook, MailServer

KEY = "whsec_" + base64.b64encode(b"a key of thirty-two random bytes").decode()


@pytest.fixture(scope="module")
def certificate():
    with tempfile.TemporaryDirectory(prefix="faxline-notice-") as folder:
        os.chmod(folder, 0o755)
        paths = [os.path.join(folder, name) for name in ("ca.pem", "key.pem")]
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-out", paths[0],
                        "-keyout", paths[1]], check=True, capture_output=True)
        yield paths


class House:
    """A line that tells by every way, and whom it tells."""

    def __init__(self, certificate, **settings):
        self.certificate = certificate
        self.mail = MailServer(*certificate, user="post", password="the password")
        self.hook = Hook(KEY)
        self.folder = tempfile.mkdtemp(prefix="faxline-notice-")
        os.chmod(self.folder, 0o777)
        self.command = os.path.join(self.folder, "told")
        with open(self.command, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\ncat >> {self.folder}/said\nif [ -e /proc/self/fd/3 ]; then cat <&3 > {self.folder}/paper.$$; fi\necho the command was here\n")
        os.chmod(self.command, 0o755)
        self.line = Line(SMTP_URL=f"smtp://localhost:{self.mail.port}", SMTP_USER="post", SMTP_PASS="the password", NOTICE_FROM="fax@house.test", NOTICE_TO="anna@house.test, bob@house.test",
                         NOTICE_WEBHOOK_URL=self.hook.url, NOTICE_WEBHOOK_KEY=KEY, NOTICE_COMMAND=self.command, NOTICE_CA_FILE=certificate[0], **settings).start()
        self.person = self.line.browser_session()

    def close(self):
        try:
            self.line.close()
        finally:
            self.mail.close()
            self.hook.close()
            subprocess.run(["rm", "-rf", self.folder], check=True)

    def said(self):
        """What the command was given."""
        path = os.path.join(self.folder, "said")
        return [json.loads(line) for line in open(path, encoding="utf-8")] if os.path.exists(path) else []

    def notices(self):
        return [mail for mail in self.line.mails() if mail["X-Faxline"] == "notice"]

    def send(self, to, path):
        answer = self.line.send(self.person, to, path)
        assert answer.status_code == 202, answer.text
        return answer.json()["id"]

    def arrive(self, path, number="+12125550100"):
        self.line.command("receive", path, "--from", number)

    def log(self):
        folder = os.path.join(self.line.run_dir, "log")
        return "".join(open(os.path.join(folder, name), encoding="utf-8", errors="replace").read() for name in os.listdir(folder))


def only(values):
    values = list(values)
    assert len(values) == 1, values
    return values[0]


@pytest.fixture(scope="module")
def house(certificate):
    it = House(certificate)
    yield it
    it.close()


def test_every_way_tells_of_a_fax_that_was_delivered(house, documents):
    fax_id = house.send("+12125551212", documents["letter"])
    house.line.final(house.person, fax_id)
    mails = wait_until(lambda: len(house.mail.mails) >= 2 and house.mail.mails[:], 20)
    assert sorted(mail[1] for mail in mails) == ["anna@house.test", "bob@house.test"], "each recipient has a mail of his own"
    sender, recipient, mail, secure, user = mails[0]
    assert sender == "fax@house.test" and secure and user == "post"
    assert mail["To"] == recipient and mail["X-Faxline"] == "notice" and mail["Auto-Submitted"] == "auto-generated"
    assert mail["Subject"].startswith("PRACTICE LINE: Fax to +12125551212 delivered")
    text = mail.get_body().get_content()
    assert "PRACTICE LINE" in text and "The fax was delivered." in text and text.rstrip().endswith(f":{house.line.ports['LAN_PORT']}/#/fax/{fax_id}")
    assert all(b"\n" not in raw.replace(b"\r\n", b"") for raw in house.mail.raw), "lines on the wire end with CR LF"
    hook_id, said = only(wait_until(lambda: house.hook.got[:]))
    assert said["type"] == "fax.delivered" and said["data"]["fax"] == fax_id and said["data"]["id"] == hook_id and said["data"]["practice"] is True and not house.hook.wrong
    assert only(wait_until(house.said))["data"]["fax"] == fax_id
    wait_until(lambda: "the command was here" in house.log())
    notice = only(wait_until(house.notices, 20))
    assert notice["Subject"] == mail["Subject"] and hook_id in notice["Message-ID"] and hook_id in mail["Message-ID"]
    assert house.person.get(house.line.lan + "/api/line").json()["notices"] == []


def test_a_failure_says_why_and_what_to_do(house, documents):
    fax_id = house.send("+15005550005", documents["letter"])
    fax = house.line.final(house.person, fax_id)
    mail = wait_until(lambda: next((it[2] for it in house.mail.mails if "+15005550005" in it[2]["Subject"]), None), 20)
    assert mail["Subject"] == "PRACTICE LINE: Fax to +15005550005 not delivered"
    text = mail.get_body().get_content().replace("\n", " ")
    assert fax["cause"]["text"].split(" (")[0][:40] in text and fax["cause"]["advice"] in text
    said = wait_until(lambda: next((it for _, it in house.hook.got if it["data"]["fax"] == fax_id), None))
    assert said["type"] == "fax.failed" and said["data"]["cause"]["code"] == fax["cause"]["code"]


def test_an_arrival_is_told_by_every_way_but_has_one_mail_in_the_mailbox(house, documents):
    before = len(house.line.mails())
    house.arrive(documents["letter"], "+12125550133")
    mail = wait_until(lambda: next((it[2] for it in house.mail.mails if "+12125550133" in it[2]["Subject"]), None), 30)
    assert mail["Subject"].startswith("PRACTICE LINE: Fax from +12125550133 has come in")
    assert not list(mail.iter_attachments()), "the link alone, by default"
    wait_until(lambda: any(it["type"] == "fax.received" and it["data"]["from"] == "+12125550133" for _, it in house.hook.got))
    wait_until(lambda: any(it["type"] == "fax.received" for it in house.said()))
    wait_until(lambda: len(house.line.mails()) > before, 20)
    arrived = [it for it in house.line.mails() if "+12125550133" in it["Subject"]]
    assert only(arrived)["X-Faxline"] == "received"


def test_a_caller_cannot_write_headers(house):
    sid = "FX" + "d" * 32
    hostile = "+1\r\nBcc: eve@house.test\r\n\r\nhello"
    answer = house.line.webhook("/fax/initialize", {"FaxSid": sid, "From": hostile, "To": house.line.conf.get("TWILIO_FAX_NUMBER", "+15005550006")})
    assert answer.status_code == 200
    action = answer.text.split('action="')[1].split('"')[0].replace("&amp;", "&").removeprefix(house.line.public)
    done = house.line.webhook(action, {"FaxSid": sid, "From": hostile, "To": "+15005550006", "FaxStatus": "failed", "ErrorCode": "34100"})
    assert done.status_code == 200
    mail = wait_until(lambda: next((it for it in house.mail.mails if "Bcc" in it[2]["Subject"]), None), 20)
    assert mail[2]["Bcc"] is None and mail[1] in ("anna@house.test", "bob@house.test") and "did not arrive" in mail[2]["Subject"]
    assert not any(it[1] == "eve@house.test" for it in house.mail.mails)
    notice = wait_until(lambda: next((it for it in house.notices() if it["X-Fax-Sid"] == sid), None), 20)
    assert notice["Bcc"] is None and "did not arrive" in notice["Subject"]


def test_notice_test_says_what_each_answered(house):
    done = house.line.command("notice", "test")
    ways = {line.split("\t")[0]: line.split("\t")[1:] for line in done.stdout.splitlines()}
    assert ways["smtp:anna@house.test"] == ["right", "250 2.0.0 Ok: queued as 4F2"] and ways["webhook"] == ["right", "status 204"]
    assert ways["maildir"][0] == "right" and ways["command"] == ["right", "exit status 0"]
    house.mail.refuse, house.hook.status = "550 5.1.1 no such user", 500
    try:
        done = house.line.command("notice", "test", check=False)
    finally:
        house.mail.refuse, house.hook.status = None, 204
    assert done.returncode == 69 and "smtp:bob@house.test\twrong\tThe mail server refuses it: 550 5.1.1 no such user" in done.stdout and "webhook\twrong\tThe webhook answered with status 500." in done.stdout
    assert "the password" not in done.stdout + done.stderr + house.log() and KEY not in house.log()


def test_a_server_that_hangs_holds_up_neither_faxes_nor_other_ways_and_gets_its_mail_later(house, documents):
    house.mail.hanging = True
    fax_id = house.send("+12125551313", documents["letter"])
    fax = house.line.final(house.person, fax_id)
    assert fax["status"] == "delivered"
    assert house.mail.hung.acquire(timeout=20), "the mail server is being asked"
    other = house.send("+12125551314", documents["letter"])
    house.line.final(house.person, other)
    wait_until(lambda: {fax_id, other} <= {it["data"]["fax"] for _, it in house.hook.got}, 20)
    wait_until(lambda: any("+12125551314" in it["Subject"] for it in house.notices()), 20)
    assert not any("+1212555131" in subject for subject in house.mail.subjects())
    # Its connections break: it is down, and the page says so.
    port = house.mail.port
    house.mail.close()
    told = wait_until(lambda: house.person.get(house.line.lan + "/api/line").json()["notices"], 30)
    assert all(it["way"].startswith("smtp:") and it["text"] for it in told)
    house.mail = MailServer(*house.certificate, port=port, user="post", password="the password")
    wait_until(lambda: sum("+1212555131" in subject for subject in house.mail.subjects()) >= 4, 90)
    assert sorted(subject for subject in house.mail.subjects("anna@house.test")) == sorted(set(house.mail.subjects("anna@house.test"))), "none twice"
    assert house.person.get(house.line.lan + "/api/line").json()["notices"] == []
    assert "Notice" not in str(house.line.fax(house.person, fax_id)["events"]), "the fax's story is its own"


@pytest.mark.parametrize("content", ["none", "document"])
def test_how_much_a_notice_says(certificate, documents, content):
    house = House(certificate, NOTICE_CONTENT=content)
    try:
        fax_id = house.send("+12125551212", documents["letter"])
        house.line.final(house.person, fax_id)
        house.arrive(documents["letter"], "+12125550133")
        wait_until(lambda: len(house.mail.mails) >= 4 and len(house.hook.got) >= 2 and len(house.said()) >= 2, 40)
        wait_until(lambda: len(house.line.mails()) == 2, 20)
        received = only(it for it in house.line.mails() if it["X-Faxline"] == "received")
        paper = only(received.iter_attachments()).get_content()
        if content == "none":
            everything = [str(it[2]) for it in house.mail.mails] + [json.dumps(it) for _, it in house.hook.got] + [json.dumps(it) for it in house.said()] + [str(it) for it in house.notices()]
            for secret in ("+1212", "1212555", fax_id, os.path.basename(documents["letter"]), "delivered", "X-Fax-Sid"):
                assert not any(secret in text for text in everything), secret
            assert sorted(set(house.mail.subjects())) == ["PRACTICE LINE: A fax has come in", "PRACTICE LINE: A fax that was sent has ended"]
            assert sorted(it["type"] for _, it in house.hook.got) == ["fax.came", "fax.ended"]
        else:
            attached = next(it[2] for it in house.mail.mails if "+12125550133" in it[2]["Subject"])
            part = only(attached.iter_attachments())
            assert part.get_content_type() == "application/pdf" and part.get_content() == paper
            said = next(it for _, it in house.hook.got if it["type"] == "fax.received")
            assert base64.b64decode(said["data"]["document"]["base64"]) == paper
            papers = [open(os.path.join(house.folder, name), "rb").read() for name in os.listdir(house.folder) if name.startswith("paper.")]
            assert hashlib.sha256(paper).digest() in [hashlib.sha256(it).digest() for it in papers]
            assert all(it["data"]["document"]["file_descriptor"] == 3 for it in house.said())
    finally:
        house.close()


def test_what_waits_survives_a_kill_of_the_whole_line(certificate, documents):
    house = House(certificate)
    try:
        port = house.mail.port
        house.mail.close()
        fax_id = house.send("+12125551212", documents["letter"])
        house.line.final(house.person, fax_id)
        wait_until(lambda: house.person.get(house.line.lan + "/api/line").json()["notices"], 30)
        ids = {it[0] for it in house.hook.got}
        house.line.stop()
        house.mail = MailServer(*certificate, port=port, user="post", password="the password")
        house.line.start()
        wait_until(lambda: len(house.mail.mails) == 2, 60)
        assert {it[0] for it in house.hook.got} == ids and len(house.notices()) == 1, "what was told is not told again"
    finally:
        house.close()


def test_settings_that_do_not_go_together_are_named(house):
    environment = {"FAXLINE_CONF": os.path.join(house.line.run_dir, "faxline.conf"), "PATH": os.environ["PATH"], "MAILDIR_ROOT_DIR": house.folder, "PUBLIC_HOSTNAME": "localhost"}
    for settings, words in (({"SMTP_URL": "smtp://mail.test"}, "NOTICE_FROM is not"), ({"SMTP_URL": "mail.test"}, "must begin with smtp://"), ({"NOTICE_WEBHOOK_URL": "https://example.org/x"}, "NOTICE_WEBHOOK_KEY is not set"),
                            ({"NOTICE_WEBHOOK_URL": "http://example.org/x", "NOTICE_WEBHOOK_KEY": "k"}, "https://"), ({"NOTICE_TO": "anna"}, "mail addresses"), ({"NOTICE_COMMAND": "told"}, "absolute path")):
        done = subprocess.run([os.path.join(os.environ.get("BUILD", "build"), "bin/faxline"), "config", "check"], env={**environment, **settings}, capture_output=True, text=True, timeout=30)
        assert done.returncode == 78 and words in done.stderr, (settings, done.stderr)
