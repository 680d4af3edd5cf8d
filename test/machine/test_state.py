"""Where all is kept. On a disk that is full, or read-only, when the machine starts: everything starts or says why, nobody waits
for an answer, nothing is lost, and with room again the line comes back by itself. In a database elsewhere: who needs the
network for it has it."""
import json
import os
import subprocess

import pytest

from installed import NAME, OWN_NUMBER, PASSWORD, converse, faxes, install, is_over, mails, send, wait_until_up
from machine import booted, quoted

STATE = "/var/lib/faxline"
OF_THE_BOOK = ("send", "status", "inbox", "inbound", "media", "queue")

# What one sees of an address, and after how many seconds.
LOOK = r'''
import json, ssl, sys, time, urllib.error, urllib.request
began = time.monotonic()
try:
    answer = urllib.request.urlopen(sys.argv[1], data=sys.argv[2].encode() if len(sys.argv) > 2 else None, context=ssl._create_unverified_context(), timeout=90)
except urllib.error.HTTPError as error:
    answer = error
print(json.dumps([answer.status, answer.read().decode(), answer.headers.get("Retry-After"), time.monotonic() - began]))
'''


@pytest.fixture(scope="module")
def machine():
    with booted() as one:
        install(one)
        one.run("cat >/root/look.py", given=LOOK)
        wait_until_up(one)
        yield one


def fill(disk):
    """To the last byte: a program that asks for one more is told that there is none."""
    with open(f"{disk}/ballast", "wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass


def look(machine, address, form=""):
    status, text, retry_after, seconds = json.loads(machine.run(f"python3 /root/look.py {address} {form}"))
    assert seconds < 15, f"{address} makes people wait"
    return status, text, retry_after


def is_served(machine):
    """What needs nothing of that disk goes on: the page itself, and POP3."""
    assert machine.run("systemctl is-active nginx").strip() == "active"
    status, text, _ = look(machine, "https://localhost/")
    assert status == 200 and "<title>" in text
    talk = ["user " + NAME, "pass " + PASSWORD, "STAT", "quit"]
    answers = converse(machine, "openssl s_client -connect localhost:995 -quiet", talk)
    assert answers[3].startswith("+OK"), answers
    return int(answers[3].split()[1])


def says_why(machine, program, words):
    return machine.until(lambda: words in machine.run(f"journalctl -b -u faxline-{program} --no-pager | tail -n 40"), 20, f"{program} says: {words}")


def within(machine, command, seconds=30):
    """The command's status and all that it said."""
    said = machine.run(f"timeout {seconds} {command}; echo status $?", check=False)
    assert "status 124" not in said, f"{command} hangs:\n{said}"
    return said


def mails_are_there(machine):
    """Each fax that came in has its mail, and each that was sent its notice; their number."""

    def all_of_them():
        rows = [line.split("\t")[1:4] for line in machine.run("faxline list").splitlines()]
        ours = [direction for direction, number, _ in rows if number == OWN_NUMBER]
        done = ours.count("inbound") == ours.count("outbound") and {state for _, _, state in rows} == {"delivered", "received"}
        return len(rows) if done and mails(machine) == len(rows) else 0

    return machine.until(all_of_them, 60, "each fax has its mail")


def test_a_start_on_a_full_disk(machine):
    with machine.small_disk(STATE, 48) as disk:
        machine.start()
        wait_until_up(machine)
        is_over(machine, send(machine))
        assert mails_are_there(machine) == 2
        slow = send(machine, "+15005550004")
        machine.until(lambda: faxes(machine)[slow] == "sending", 20, "one is under way")
        known = faxes(machine)
        machine.shut_down()
        fill(disk)
        machine.start()
        for program in (*OF_THE_BOOK, "session"):
            says_why(machine, program, "The disk of the fax line is full")
        assert machine.run("systemctl is-active faxline-deliver faxline-sandbox faxline.target").split() == ["active"] * 3
        assert is_served(machine) == 2
        for address in ("https://localhost/healthz", "https://localhost/api/session"):
            status, text, retry_after = look(machine, address)
            assert status == 503 and "The disk of the fax line is full" in text and int(retry_after) > 0, (address, text)
        status, _, retry_after = look(machine, "https://localhost:3297/fax/initialize", "FaxSid=FX1")
        assert status == 503 and int(retry_after) > 0, "the provider is told to come again"
        said = within(machine, "faxline doctor")
        assert "status 1" in said and said.count("cannot start, and is tried again") == 6 and "wrong\tspace\t" in said and "wrong\tdatabase\tThe disk of the fax line is full" in said, said
        for command in ("faxline send /home/anna/letter.pdf +15005550006", "faxline list", "faxline user list"):
            said = within(machine, command)
            assert "status 75" in said and "The disk of the fax line is full" in said, said
        os.remove(f"{disk}/ballast")
        wait_until_up(machine, 60)
        assert set(faxes(machine)) >= set(known)
        is_over(machine, slow, seconds=150)
        is_over(machine, send(machine))
    wait_until_up(machine)
    assert set(known) < set(faxes(machine))


def test_a_start_on_a_read_only_disk(machine):
    is_over(machine, send(machine))
    mailed, known = mails_are_there(machine), faxes(machine)
    with machine.small_disk(STATE, 48) as disk:
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        machine.start()
        for program in (*OF_THE_BOOK, "session"):
            says_why(machine, program, "it has become read-only")
        assert is_served(machine) == mailed
        for address in ("https://localhost/healthz", "https://localhost/api/session"):
            status, text, retry_after = look(machine, address)
            assert status == 503 and "it has become read-only" in text and int(retry_after) > 0, (address, text)
        said = within(machine, "faxline doctor")
        assert "status 1" in said and "wrong\tfolders\tThe disk of the fax line cannot be written to" in said, said
        for command in ("faxline send /home/anna/letter.pdf +15005550006", "faxline list", "faxline user list"):
            said = within(machine, command)
            assert "status 75" in said and "it has become read-only" in said, said
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        machine.run(f"mount -o remount,rw {STATE}")
        wait_until_up(machine, 60)
        assert set(faxes(machine)) >= set(known)
        is_over(machine, send(machine))
    wait_until_up(machine)
    assert set(known) < set(faxes(machine))


# A server at a name that writes down who knocks, and lets nobody in.
SERVER = r"""
import re, socket
with socket.create_server(("127.0.0.1", 15432)) as server:
    while True:
        one, _ = server.accept()
        with one, open("/root/knocked", "a", encoding="ascii") as file:
            print(re.search(rb"user\0(\w+)\0", one.recv(1000))[1].decode(), file=file)
"""


def network_of(machine, programs):
    return {machine.run(f"systemctl show -P PrivateNetwork faxline-{program}").strip() for program in programs}


def test_a_database_elsewhere(machine):
    """Its name is looked up, and it is asked, from inside rooms that had no network; and have none when it is here again."""
    users = [program for program in (*OF_THE_BOOK, "session") if program != "queue"]
    assert network_of(machine, users) == {"yes"}
    machine.run("cp /etc/faxline/faxline.conf /root/before; echo '127.0.0.1 db.example.org' >>/etc/hosts; install -D /dev/null /etc/systemd/system/faxline-send.service.d/own.conf")
    machine.run(f"systemd-run -q --unit server python3 -c {quoted(SERVER)}")
    for name, user in (("DATABASE_URL", "faxline"), ("PEOPLE_DATABASE_URL", "people")):
        machine.run(f"echo '{name}=postgresql://{user}:secret@db.example.org:15432/{user}?sslmode=disable' >>/etc/faxline/faxline.conf")
    machine.run("systemctl restart faxline.target; systemctl stop faxline-queue.socket faxline-queue.service; rm -f /root/knocked")
    machine.until(lambda: set(machine.run("cat /root/knocked", check=False).split()) == {"faxline", "people"}, 30, "programs knock at the server")
    assert network_of(machine, users) == {"no"}
    assert network_of(machine, ["deliver"]) == {"yes"}
    for program in users:
        says_why(machine, program, "the database server does not answer")
    assert look(machine, "https://localhost/api/session")[0] == 503
    machine.run("cp /root/before /etc/faxline/faxline.conf; systemctl restart faxline.target; systemctl stop server")
    wait_until_up(machine)
    assert network_of(machine, users) == {"yes"}
    assert machine.run("cd /etc/systemd/system; ls -d faxline-*.service.d/*").split() == ["faxline-deliver.service.d/mailbox.conf", "faxline-send.service.d/own.conf"]
