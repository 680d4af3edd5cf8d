"""Disk and mailbox in trouble, on real small file systems: nothing is lost, people are told, and all goes on by itself."""
import os
import re
import shutil
import subprocess
import tempfile
import time

import pytest
import requests

from browser import Browser
from line import Line, wait_until

MEGABYTE = 1 << 20


class Disk:
    """A file system of its own, in memory."""

    def __init__(self, megabytes):
        self.path = tempfile.mkdtemp(prefix="faxline-disk-")
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", self.path], capture_output=True, text=True, check=False)
        if done.returncode:
            os.rmdir(self.path)
            pytest.skip(f"NO SMALL FILE SYSTEM CAN BE MOUNTED HERE, so a full disk is not tested: {done.stderr.strip()}")

    def free(self):
        about = os.statvfs(self.path)
        return about.f_bavail * about.f_frsize

    def leave(self, free_bytes):
        """Fills it, until that much is free."""
        self.clear()
        with open(f"{self.path}/ballast", "wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, self.free() - free_bytes))

    def clear(self):
        if os.path.exists(f"{self.path}/ballast"):
            os.remove(f"{self.path}/ballast")

    def read_only(self, it_is):
        subprocess.run(["mount", "-o", "remount," + ("ro" if it_is else "rw"), self.path], check=True)

    def close(self):
        subprocess.run(["umount", "-l", self.path], check=False)
        shutil.rmtree(self.path, ignore_errors=True)


@pytest.fixture(scope="module")
def house():
    state = Disk(64)
    mail = None
    line = None
    try:
        mail = Disk(8)
        line = Line(STATE_DIR=state.path, MAILDIR_ROOT_DIR=mail.path + "/Maildir", RECONCILE_SECONDS="5").start()
        line.state, line.mail = state, mail
        line.person = line.browser_session()
        yield line
    finally:
        if line:
            line.close()
        state.close()
        if mail:
            mail.close()


def troubles(line, kind):
    return [it for it in line.person.get(line.lan + "/api/line").json()["troubles"] if it["kind"] == kind]


def health(line):
    return requests.get(line.lan + "/healthz", verify=line.ca, timeout=20)


def arrived(line, sender):
    return next((it for it in line.received(line.person, **{"with": "next"}) if it["from"] == sender), None)


def in_mailbox(line, sender):
    fax = arrived(line, sender)
    return fax and [mail["X-Fax-Sid"] for mail in line.mails()].count(fax["provider_id"]) == 1


def doctor(line):
    done = line.command("doctor", check=False)
    return done.returncode, [row.split("\t") for row in done.stdout.splitlines()]


def test_a_healthy_line(house):
    wait_until(lambda: health(house).json() == {"status": "ok"}, 30)
    status, rows = wait_until(lambda: (lambda said: said if said[0] == 0 else None)(doctor(house)), 60, 2)
    assert status == 0 and {row[1] for row in rows} >= {"settings", "database", "folders", "space", "queue", "faxes", "mails", "account", "messages", "programs", "wake", "mailbox", "provider"}
    assert all(len(row) == 3 and row[0] in ("ok", "warning") for row in rows)


def test_a_disk_that_fills(house, documents):
    # Of 64 MB, 16 are kept for what comes in, and 8 for what was accepted.
    before = house.send(house.person, "+12125550400", documents["letter"])
    assert before.status_code == 202
    assert house.final(house.person, before.json()["id"])["status"] == "delivered"
    house.state.leave(14 * MEGABYTE)
    refused = house.send(house.person, "+12125550401", documents["letter"])
    assert refused.status_code == 507 and refused.headers["Content-Type"] == "application/problem+json"
    assert "16 MB are kept free for faxes that come in" in refused.json()["detail"]
    assert house.person.post(house.lan + "/api/documents", files={"file": open(documents["letter"], "rb")}).status_code == 507
    assert house.person.post(house.lan + "/api/faxes", json={"to": "+12125550401", "documents": ["01m8a6j2ydz87fjq6m3a22534k"]}).status_code == 507
    assert "nearly full" in wait_until(lambda: troubles(house, "disk"), 30)[0]["text"]
    status, rows = doctor(house)
    assert status == 1 and any(row[:2] == ["wrong", "space"] and "Make room" in row[2] for row in rows)
    # What comes in has room.
    house.command("receive", documents["letter"], "--from", "+12125550402")
    wait_until(lambda: in_mailbox(house, "+12125550402"), 60, 0.5)
    assert health(house).status_code == 200

    house.state.leave(4 * MEGABYTE)
    fields = {"FaxSid": "FX0123456789abcdef0123456789abcdef", "From": "+12125550403", "To": house.conf.get("TWILIO_FAX_NUMBER", "+15005550006"), "AccountSid": house.conf["TWILIO_SID"], "FaxStatus": "failed", "ErrorCode": "12345"}
    put_off = house.webhook("/fax/payload", fields)
    assert put_off.status_code == 503 and int(put_off.headers["Retry-After"]) > 0
    sick = health(house)
    assert sick.status_code == 503 and "disk of the fax line is full" in sick.json()["detail"]
    house.command("receive", documents["letter"], "--from", "+12125550404")
    time.sleep(1)  # it is refused meanwhile, or not brought at all: both are to be made good
    assert not in_mailbox(house, "+12125550404")

    house.state.leave(0)
    refused = house.command("receive", documents["letter"], "--from", "+12125550405", check=False)
    assert refused.returncode == 75 and "cannot store it now" in refused.stderr

    house.state.clear()
    assert house.webhook("/fax/payload", fields).status_code == 200
    wait_until(lambda: arrived(house, "+12125550403"), 30)
    wait_until(lambda: in_mailbox(house, "+12125550404"), 150, 2)
    wait_until(lambda: not troubles(house, "disk"), 30)
    assert health(house).status_code == 200
    again = house.send(house.person, "+12125550401", documents["letter"])
    assert house.final(house.person, again.json()["id"])["status"] == "delivered"


def moved(there):
    def break_it(line):
        os.rename(f"{line.mail.path}/{there}", f"{line.mail.path}/away")

    def mend_it(line):
        os.rename(f"{line.mail.path}/away", f"{line.mail.path}/{there}")

    return break_it, mend_it


def a_file(line):
    moved("Maildir/new")[0](line)
    with open(f"{line.mail.path}/Maildir/new", "w", encoding="ascii") as file:
        file.write("not a folder")


def no_file(line):
    os.remove(f"{line.mail.path}/Maildir/new")
    moved("Maildir/new")[1](line)


def owned(uid):
    def give(line):
        path = f"{line.mail.path}/Maildir/new"
        os.chown(path, uid if uid is not None else os.stat(f"{line.mail.path}/Maildir/cur").st_uid, -1)

    return give



WAYS = {
    "missing": (*moved("Maildir"), "There is no mailbox at {maildir} "),
    "new-missing": (*moved("Maildir/new"), "There is no mailbox at"),
    "not-a-folder": (a_file, no_file, "There is no mailbox at"),
    "wrong-owner": (owned(0), owned(None), "belongs to user number 0"),
    "closed": (lambda line: os.chmod(f"{line.mail.path}/Maildir/new", 0o500), lambda line: os.chmod(f"{line.mail.path}/Maildir/new", 0o700), "is closed to user number"),
    "full": (lambda line: line.mail.leave(4096), lambda line: line.mail.clear(), "no space left for the mailbox"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_mailbox_that_is_broken(house, documents, way):
    break_it, mend_it, words = WAYS[way]
    said = words.format(maildir=house.conf["MAILDIR_ROOT_DIR"])
    sender = f"+1212555050{list(WAYS).index(way)}"
    break_it(house)
    try:
        house.command("receive", documents["letter"], "--from", sender)
        trouble = wait_until(lambda: troubles(house, "mailbox"), 60)[0]
        assert said in trouble["text"]
        # It is here, and can be read, at once.
        fax = wait_until(lambda: (lambda it: it if it and it["status"] == "received" and it["next"] else None)(arrived(house, sender)), 60)
        assert "put into the mailbox when that works" in fax["next"]["text"]
        with open(documents["letter"], "rb") as letter:
            assert house.person.get(f"{house.lan}/api/faxes/{fax['id']}/document.pdf").content == letter.read()
        assert any(event["what"] == "Waiting for the mailbox" and said in event["why"] for event in house.fax(house.person, fax["id"])["events"])
        status, rows = doctor(house)
        of_mailbox = [row for row in rows if row[1] == "mailbox"]  # said once
        assert status == 1 and len(of_mailbox) == 1 and of_mailbox[0][0] == "wrong" and said in of_mailbox[0][2] and "since" in of_mailbox[0][2]
        assert any(row[:2] == ["warning", "mails"] for row in rows)
        assert "next\t" in house.command("show", fax["id"]).stdout
        text = house.person.get(house.lan + "/metrics").text
        assert 'faxline_trouble{kind="mailbox"} 1\n' in text and int(re.search(r"^faxline_mails_waiting (\d+)$", text, re.M)[1]) >= 1
    finally:
        mend_it(house)
    wait_until(lambda: in_mailbox(house, sender), 30, 0.5)
    wait_until(lambda: not troubles(house, "mailbox"), 30)
    assert house.fax(house.person, fax["id"], **{"with": "next"})["next"] is None


def test_the_page_says_once_what_is_wrong_with_the_mailbox(house, documents):
    break_it, mend_it, said = WAYS["not-a-folder"]
    break_it(house)
    try:
        # Its notice waits as well, and for the same reason.
        house.send(house.person, "+15005550005", documents["letter"])
        wait_until(lambda: troubles(house, "mailbox") and house.person.get(house.lan + "/api/line").json()["notices"], 60)
        browser = Browser(360, 800)
        try:
            browser.log_in(house.lan)
            browser.see(said)
            assert browser.text().count(said) == 1 and len(browser.all("#strip .note")) == 1, browser.text()
        finally:
            browser.close()
    finally:
        mend_it(house)
    wait_until(lambda: not troubles(house, "mailbox"), 60)


NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf'({NAME})(?:\{{((?:{NAME}="(?:[^"\\\n]|\\["\\n])*",?)*)\}})? (-?[0-9]+(?:\.[0-9]+)?)')


def read_metrics(text):
    """The text format, strictly: HELP, TYPE, then that family's samples; no sample twice; a histogram that adds up."""
    assert text.endswith("\n")
    samples, types, family = {}, {}, None
    for row in text.splitlines():
        if row.startswith("# HELP "):
            family = row.split(" ", 3)[2]
            assert family not in types and len(row.split(" ", 3)) == 4
        elif row.startswith("# TYPE "):
            _, _, name, kind = row.split(" ")
            assert name == family and kind in ("gauge", "counter", "histogram")
            types[name] = kind
        else:
            found = SAMPLE.fullmatch(row)
            assert found, row
            name, labels, value = found.groups()
            assert name == family or (types[family] == "histogram" and name in (f"{family}_bucket", f"{family}_sum", f"{family}_count")), row
            assert types[family] != "counter" or (name.endswith("_total") and float(value) >= 0)
            assert (name, labels) not in samples, row
            samples[name, labels] = float(value)
    for name in (name for name, kind in types.items() if kind == "histogram"):
        buckets = [value for (sample, _), value in samples.items() if sample == f"{name}_bucket"]
        assert buckets == sorted(buckets) and samples[f"{name}_bucket", 'le="+Inf"'] == samples[f"{name}_count", None] == buckets[-1]
    return samples


def test_the_numbers(house):
    text = wait_until(lambda: (lambda it: it if "faxline_reconciled_seconds" in it else None)(house.person.get(house.lan + "/metrics").text), 60)
    samples = read_metrics(text)
    for bad in ("a 1", text + "x", text.replace("# TYPE faxline_unread gauge\n", ""), text + 'faxline_queue_delay_seconds_bucket{le="1"} 1\n'):
        with pytest.raises((AssertionError, KeyError)):
            read_metrics(bad)
    mails = len([mail for mail in house.mails() if mail["X-Faxline"] == "received"])
    # Counted in memory, written at the queue's next look.
    wait_until(lambda: read_metrics(house.person.get(house.lan + "/metrics").text)["faxline_to_mailbox_seconds_count", None] == mails, 20)
    assert mails > 0
    assert samples["faxline_mails_waiting", None] == 0 and samples["faxline_attempts_total", None] >= 2
    assert samples["faxline_queue_silence_seconds", None] < 120 and samples["faxline_free_bytes", None] > 16 * MEGABYTE


def test_doctor_with_the_line_down(house):
    house.stop()
    status, rows = doctor(house)
    assert status == 69 and any(row[:2] == ["wrong", "line"] and "down" in row[2] for row in rows)
    assert any(row[:2] == ["ok", "database"] for row in rows) and any(row[:2] == ["wrong", "mailbox"] and "faxline-deliver" in row[2] for row in rows)


def test_what_cannot_start_says_that_the_disk_is_full_or_read_only(house, documents):
    """The line is down. A disk without a free byte, or one that became read-only, is named, and nothing hangs."""
    for break_it, mend_it, said in ((lambda: house.state.leave(0), house.state.clear, "disk of the fax line is full"), (lambda: house.state.read_only(True), lambda: house.state.read_only(False), "read-only")):
        break_it()
        try:
            status, rows = doctor(house)
            assert status == 69 and any(row[0] == "wrong" and said in row[2] for row in rows), rows
            refused = house.command("send", documents["letter"], "+12125550501", check=False)
            assert refused.returncode == 75 and said in refused.stderr, refused
        finally:
            mend_it()
    assert any(row[:2] == ["ok", "database"] for row in doctor(house)[1])
