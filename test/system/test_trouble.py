"""A machine in trouble: what the person is told, and that nothing is lost or doubled by it."""
import email
import os
import socket
import sqlite3
import ssl
import subprocess
import threading
import time
import urllib.parse

import pytest
import requests

import fake_provider
import harm
from line import Line, sha256, wait_until
from test_provider import first_webhook, log_of, new_sid, post_media

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root can mount")


@pytest.fixture(scope="module")
def house():
    it = Line(RECONCILE_SECONDS="5", FAX_DEADLINE="1h")
    yield it.start()
    it.close()


@pytest.fixture(scope="module")
def person(house):
    return house.browser_session()


def problem(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == status and len(told["detail"].split()) > 4, told
    return told["detail"]


def sent_once(line, to):
    """How many faxes the practice provider has to that number."""
    account = (line.conf["TWILIO_SID"], line.conf["TWILIO_TOKEN"])
    listed = requests.get(line.ready["sandbox"] + "/v1/Faxes", params={"To": to}, auth=account, verify=line.ca, timeout=20)
    return [fax["status"] for fax in listed.json()["faxes"]] == ["delivered"]


def payload(line, action, fields, document):
    return requests.post(action, files=[*((name, (None, value)) for name, value in fields.items()), ("Media", ("fax.pdf", document, "application/pdf"))], verify=line.ca, timeout=60)


def arrives(line, person, sid, document):
    """It is in the list and in the mailbox, byte for byte, and once."""
    fax = wait_until(lambda: next((fax for fax in line.received(person) if fax["provider_id"] == sid and fax["status"] == "received"), None), 60)
    assert person.get(f"{line.lan}/api/faxes/{fax['id']}/document.pdf").content == document
    line.mail_of(sid, 60)
    mails = [mail for mail in line.mails() if mail["X-Fax-Sid"] == sid and mail["X-Faxline"] == "received"]
    assert len(mails) == 1
    assert next(mails[0].iter_attachments()).get_content() == document


def read(path):
    with open(path, "rb") as file:
        return file.read()


def test_a_book_that_is_locked_for_long_is_told_and_nothing_is_lost(house, person, documents):
    document = read(documents["letter"])
    sid = new_sid()
    action, fields = first_webhook(house, sid)
    book = sqlite3.connect(os.path.join(house.run_dir, "state/db/faxline.db"), isolation_level=None, timeout=20)
    book.execute("BEGIN IMMEDIATE")
    answers = {}
    threads = [
        threading.Thread(target=lambda: answers.update(sent=house.send(person, "+12125550150", documents["letter"]))),
        threading.Thread(target=lambda: answers.update(received=payload(house, action, fields, document))),
    ]
    try:
        for thread in threads:
            thread.start()
        assert person.get(house.lan + "/api/faxes").status_code == 200, "who only reads does not wait"
        for thread in threads:
            thread.join(40)
    finally:
        book.execute("ROLLBACK")
        book.close()
    assert "busy" in problem(answers["sent"], 503) or "again" in answers["sent"].json()["detail"]
    assert answers["sent"].headers["Retry-After"]
    assert answers["received"].status_code == 503
    assert payload(house, action, fields, document).status_code == 200, "the provider's second try"
    arrives(house, person, sid, document)
    made = house.send(person, "+12125550150", documents["letter"]).json()
    assert house.final(person, made["id"])["status"] == "delivered" and sent_once(house, "+12125550150")


def test_a_program_without_a_free_descriptor_says_so_and_goes_on(house, person, documents):
    document = read(documents["letter"])
    sid = new_sid()
    action, fields = first_webhook(house, sid)
    # One is left: for the request, not for its file.
    with harm.no_more_files(house, "send", 1), harm.no_more_files(house, "inbound", 1):
        assert "again" in problem(house.send(person, "+12125550151", documents["letter"]), 503)
        assert payload(house, action, fields, document).status_code == 503
    assert "Too many open files" in log_of(house, "send") and "Too many open files" in log_of(house, "inbound")
    made = wait_until(lambda: (lambda answer: answer.json() if answer.status_code == 202 else None)(house.send(person, "+12125550151", documents["letter"])), 20)
    assert house.final(person, made["id"])["status"] == "delivered" and sent_once(house, "+12125550151")
    assert payload(house, action, fields, document).status_code == 200
    arrives(house, person, sid, document)


def test_a_queue_without_a_free_descriptor_waits(house, person, documents):
    with harm.no_more_files(house, "faxline-queue"):
        made = house.send(person, "+12125550152", documents["letter"]).json()
        wait_until(lambda: "Too many open files" in log_of(house, "faxline-queue") or "EMFILE" in log_of(house, "faxline-queue"), 40)
        assert not house.fax(person, made["id"])["final"]
    assert house.final(person, made["id"], 60)["status"] == "delivered" and sent_once(house, "+12125550152")


@as_root
def test_a_spool_that_has_become_read_only_is_told_and_nothing_is_lost(house, person, documents):
    document = read(documents["letter"])
    sid = new_sid()
    action, fields = first_webhook(house, sid)
    with harm.read_only(house, "state/spool"):
        assert "read-only" in problem(house.send(person, "+12125550153", documents["letter"]), 503)
        assert payload(house, action, fields, document).status_code == 503
    assert payload(house, action, fields, document).status_code == 200
    arrives(house, person, sid, document)
    made = house.send(person, "+12125550153", documents["letter"]).json()
    assert house.final(person, made["id"])["status"] == "delivered"


@as_root
def test_a_hand_out_folder_that_has_become_read_only_makes_a_fax_wait(house, person, documents):
    with harm.read_only(house, "state/handout"):
        made = house.send(person, "+12125550154", documents["letter"]).json()
        wait_until(lambda: "Read-only file system" in log_of(house, "faxline-queue"), 40)
        assert not house.fax(person, made["id"])["final"]
    assert house.final(person, made["id"], 60)["status"] == "delivered" and sent_once(house, "+12125550154")


class Halves:
    """A body that comes in halves: what is to happen between is done then."""

    def __init__(self, data, between):
        self.data, self.at, self.between = data, 0, between

    def __len__(self):
        return len(self.data)

    def read(self, size=-1):
        half = len(self.data) // 2
        if self.at == half:
            self.between()
        end = min(half if self.at < half else len(self.data), self.at + size if size >= 0 else len(self.data))
        part, self.at = self.data[self.at : end], end
        return part


def multipart(fields, files):
    return requests.Request("POST", "https://localhost/", data=fields, files=files).prepare()


def test_nginx_is_reloaded_in_the_middle_of_transfers(house, person, documents):
    """As certbot's hook does: an upload, a payload and the provider's fetch that were under way end well."""
    master = harm.programs(house, "nginx: master")[0]
    old_workers = harm.programs(house, "nginx: worker")
    both = threading.Barrier(3)

    def between():
        both.wait(20)  # all are in the middle
        both.wait(20)  # nginx is reloaded

    document = read(documents["scan"])
    sid = new_sid()
    action, fields = first_webhook(house, sid)
    house.command("sandbox", "fault", "media-slow")
    fetched = house.send(person, "+12125550155", documents["scan"]).json()
    answers = {}

    def post(name, url, prepared, session, **headers):
        answers[name] = session.post(url, data=Halves(prepared.body, between), headers={"Content-Type": prepared.headers["Content-Type"], **headers}, verify=house.ca, timeout=60)

    upload = multipart({"to": "+12125550156"}, [("file", ("scan.pdf", document, "application/pdf"))])
    arrival = multipart(fields, [("Media", ("fax.pdf", document, "application/pdf"))])
    threads = [threading.Thread(target=post, args=("sent", house.lan + "/api/faxes", upload, person)), threading.Thread(target=post, args=("received", action, arrival, requests.Session()))]
    for thread in threads:
        thread.start()
    both.wait(20)
    os.kill(master, 1)
    wait_until(lambda: set(harm.programs(house, "nginx: worker")) - set(old_workers), 20)
    both.wait(20)
    for thread in threads:
        thread.join(60)
    assert answers["sent"].status_code == 202, answers["sent"].text
    assert answers["received"].status_code == 200
    arrives(house, person, sid, document)
    assert house.final(person, answers["sent"].json()["id"])["status"] == "delivered" and sent_once(house, "+12125550156")
    assert house.final(person, fetched["id"], 90)["status"] == "delivered" and sent_once(house, "+12125550155")


def test_mails_are_read_and_deleted_while_others_come_in(house, person, documents):
    """A mail program that fetches and deletes all the time sees each fax once."""
    seen, done = [], threading.Event()

    def read_all_the_time():
        while not done.is_set() or client_had_some:
            client = house.pop3()
            count = client.stat()[0]
            client_had_some = count > 0
            client.list()
            for number in range(1, count + 1):
                mail = email.message_from_bytes(b"\r\n".join(client.retr(number)[1]))
                if mail["X-Faxline"] == "received":
                    seen.append((mail["X-Fax-Sid"], mail["Message-ID"]))
                client.dele(number)
            client.quit()

    reader = threading.Thread(target=read_all_the_time)
    reader.start()
    document = read(documents["letter"])
    sids = [new_sid() for _ in range(12)]
    try:
        for sid in sids:
            action, fields = first_webhook(house, sid)
            assert payload(house, action, fields, document).status_code == 200
        wait_until(lambda: set(sids) <= {sid for sid, _ in seen}, 60)
    finally:
        done.set()
        reader.join(30)
    ours = [one for one in seen if one[0] in sids]
    assert len(ours) == len(set(ours)) == 12, "each one once"


NAME = "fax.provider.test"


@pytest.fixture
def away(tmp_path):
    """A provider with TLS under a name that only /etc/hosts of the line's own namespace can tell; no question leaves the machine."""
    os.chmod(tmp_path, 0o755)
    hosts, resolver = tmp_path / "hosts", tmp_path / "resolv.conf"
    hosts.write_text("127.0.0.1 localhost\n")
    resolver.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    authority, server = harm.certificate(tmp_path, NAME)
    provider = fake_provider.Provider(NAME, server)
    bind = f"mount --bind {hosts} /etc/hosts && mount --bind {resolver} /etc/resolv.conf && exec \"$@\""
    line = Line(before=["unshare", "--mount", "sh", "-c", bind, "sh"], FAX_PROVIDER="twilio", PROVIDER_URL=provider.url, PROVIDER_CA_FILE=authority, TWILIO_FAX_NUMBER="+15005550006", RECONCILE_SECONDS="5")
    yield line, provider, hosts, tmp_path
    line.close()
    provider.close()


def waits(line, person, fax_id):
    """The fax once it waits because the provider cannot be reached."""
    return wait_until(lambda: (lambda fax: fax if fax["status"] == "waiting" and fax["cause"] else None)(line.fax(person, fax_id)), 40)


def goes_on(line, provider, person, fax_id, document):
    call = wait_until(lambda: provider.calls and provider.last_sid and provider.calls[-1], 60)
    provider.ca = line.ca
    assert provider.deliver(call) == document
    assert line.final(person, fax_id, 60)["status"] == "delivered"
    assert len(provider.calls) == 1


@as_root
def test_a_name_that_cannot_be_looked_up_makes_faxes_wait(away, documents):
    line, provider, hosts, _ = away
    person = line.start().browser_session()
    made = line.send(person, "+12125551212", documents["letter"]).json()
    fax = waits(line, person, made["id"])
    assert fax["cause"]["code"] == "provider_unreachable" and fax["attempt"] == 1
    assert "resolve" in log_of(line, "faxline-queue")
    with open(hosts, "a", encoding="ascii") as file:
        file.write(f"127.0.0.1 {NAME}\n")
    goes_on(line, provider, person, made["id"], read(documents["letter"]))


@as_root
def test_a_provider_whose_certificate_has_expired_gets_no_fax_and_no_password(away, documents):
    line, provider, hosts, folder = away
    hosts.write_text(f"127.0.0.1 localhost {NAME}\n")
    provider.close()
    harm.certificate(folder, NAME, days_ago=60)
    provider.open()
    person = line.start().browser_session()
    made = line.send(person, "+12125551212", documents["letter"]).json()
    fax = waits(line, person, made["id"])
    assert fax["cause"]["code"] == "provider_unreachable" and not provider.calls
    assert "expired" in log_of(line, "faxline-queue")
    provider.close()
    harm.certificate(folder, NAME)
    provider.open()
    goes_on(line, provider, person, made["id"], read(documents["letter"]))
