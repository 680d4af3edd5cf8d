"""The line on PostgreSQL: a server that is restarted, roles that do not see each other, a daemon that stands still."""
import glob
import os
import signal
import subprocess
import threading

import pytest

import fake_provider
from line import Line, wait_until

OWN_NUMBER = "+15005550006"


@pytest.fixture(scope="module")
def line():
    it = Line(database="postgresql", RECONCILE_SECONDS="2").start()
    yield it
    it.close()


@pytest.fixture(scope="module")
def person(line):
    return line.browser_session()


def queue_of(line):
    """The process of faxline-queue of this line."""
    for path in glob.glob("/proc/[0-9]*/environ"):
        pid = int(path.split("/")[2])
        try:
            with open(path, "rb") as file:
                environment = file.read().split(b"\0")
            with open(f"/proc/{pid}/comm", encoding="ascii") as file:
                name = file.read().strip()
        except OSError:
            continue
        if name == "faxline-queue" and f"LAN_PORT={line.ports['LAN_PORT']}".encode() in environment and not any(word.startswith(b"SOCKET_DIR=/tmp/second-") for word in environment):
            return pid
    raise AssertionError("no faxline-queue")


def test_each_role_sees_its_own_database_alone(line):
    assert "users" in line.server.sql("\\dt", "faxline_people", "second-secret", "faxline_people")
    assert "attempts" in line.server.sql("\\dt", "faxline", "first-secret", "faxline")
    for user, password, database in (("faxline", "first-secret", "faxline_people"), ("faxline_people", "second-secret", "faxline")):
        with pytest.raises(RuntimeError, match="permission denied"):
            line.server.sql("SELECT 1", user, password, database)


def test_the_server_is_restarted_while_faxes_go_and_come(line, person, documents):
    made, refused = [], []
    stop = threading.Event()

    def send():
        while not stop.wait(0.3):
            answer = line.send(person, OWN_NUMBER, documents["letter"])
            (made if answer.status_code == 202 else refused).append(answer)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        for how in (signal.SIGINT, signal.SIGQUIT):
            before = len(made)
            wait_until(lambda: len(made) >= before + 2, 60)
            line.server.stop(how)
            before = len(refused)
            wait_until(lambda: len(refused) >= before + 2, 60)
            line.server.start()
        before = len(made)
        wait_until(lambda: len(made) >= before + 2, 60)
    finally:
        stop.set()
        sender.join()
    assert {answer.status_code for answer in refused} <= {503, 504}, [answer.text for answer in refused]
    assert all(answer.json()["detail"] for answer in refused) and any(answer.status_code == 503 for answer in refused)
    # What was answered 504 may be in the book; what was accepted is.
    sent = [line.final(person, answer.json()["id"], 120) for answer in made]
    assert {fax["status"] for fax in sent} == {"delivered"}, [(fax["id"], fax["status"], fax["cause"]) for fax in sent if fax["status"] != "delivered"]
    book = person.get(line.lan + "/api/faxes", params={"direction": "outbound", "limit": 200}).json()["faxes"]
    assert {fax["id"] for fax in sent} <= {fax["id"] for fax in book}
    everything = wait_until(lambda: (lambda all_of: all_of if len(all_of) >= len(book) and all(fax["status"] == "received" for fax in all_of) else None)(line.received(person, limit=200)), 120)
    assert len(everything) == len(book), "each came in once"
    sids = sorted(fax["provider_id"] for fax in everything)
    wait_until(lambda: sorted(mail["X-Fax-Sid"] for mail in line.mails() if mail["X-Faxline"] == "received") == sids, 60)


class Second:
    """Another faxline-queue on the same book and spool, as another machine's would be, beside the line's own."""

    def __init__(self, line):
        first = queue_of(line)
        with open(f"/proc/{first}/environ", "rb") as file:
            environment = dict(word.split(b"=", 1) for word in file.read().split(b"\0") if b"=" in word)
        status = os.stat(f"/proc/{first}")
        self.folder = subprocess.run(["mktemp", "-d", "/tmp/second-XXXXXX"], capture_output=True, text=True, check=True).stdout.strip()
        os.chown(self.folder, status.st_uid, status.st_gid)
        os.symlink(os.path.join(environment[b"SOCKET_DIR"].decode(), "deliver.sock"), f"{self.folder}/deliver.sock")
        environment[b"SOCKET_DIR"] = self.folder.encode()
        program = os.readlink(f"/proc/{first}/exe")
        self.log = open(f"{self.folder}/log", "wb")
        self.process = subprocess.Popen(["nsenter", "-t", str(first), "-m", "setpriv", f"--reuid={status.st_uid}", f"--regid={status.st_gid}", "--clear-groups", program], env=environment, cwd="/", stdout=self.log, stderr=self.log)

    def words(self):
        with open(f"{self.folder}/log", encoding="utf-8", errors="replace") as file:
            return file.read()

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()
        subprocess.run(["rm", "-rf", self.folder], check=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="to start a second daemon inside of the line's namespace one must be root")
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_daemon_that_is_stopped_in_a_call_and_goes_on_later_does_no_harm(documents, database):
    provider = fake_provider.Provider()
    line = Line(database=database, FAX_PROVIDER="twilio", PROVIDER_URL=provider.url, TWILIO_FAX_NUMBER=OWN_NUMBER, LEASE_SECONDS="5", RECONCILE_SECONDS="3600")
    second = None
    stopped = 0
    try:
        line.start()
        provider.ca = line.ca
        person = line.browser_session()
        first = queue_of(line)
        provider.in_call.clear()  # the next call gets no answer before it is set
        made = line.send(person, "+12125551212", documents["letter"]).json()
        wait_until(lambda: provider.calls)
        os.kill(first, signal.SIGSTOP)
        stopped = first
        provider.in_call.set()
        second = Second(line)
        # Not handed out: the other one voids the attempt and calls anew.
        wait_until(lambda: len(provider.calls) == 2, 60)
        wait_until(lambda: line.fax(person, made["id"])["status"] == "sending", 30)
        sid = line.fax(person, made["id"])["provider_id"]
        os.kill(first, signal.SIGCONT)
        stopped = 0
        wait_until(lambda: "slept past the lease" in line.log_of("faxline-queue"), 30)
        provider.faxes[sid].update(status="delivered", num_pages=1)
        fax = line.final(person, made["id"], 60)
        assert fax["status"] == "delivered" and fax["provider_id"] == sid
        assert len(provider.calls) == 2
        # The first call's document cannot be had any more: no page of it can be sent.
        assert provider.get(provider.calls[0]["MediaUrl"]) == 404
    finally:
        if stopped:
            os.kill(stopped, signal.SIGCONT)
        if second:
            second.close()
        line.close()
        provider.close()
