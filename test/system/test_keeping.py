"""What is kept, for how long, and how it comes back: backup under load, restore, replay, the journal, RETENTION_DAYS=0."""
import json
import os
import re
import shutil
import stat
import subprocess
import threading

import pytest

import fake_provider
from line import Line, sha256, wait_until


@pytest.fixture(scope="module")
def provider():
    it = fake_provider.Provider()
    yield it
    it.close()


@pytest.fixture
def line(provider):
    it = Line(FAX_PROVIDER="twilio", PROVIDER_URL=provider.url, TWILIO_FAX_NUMBER="+15005550006", CHECK_SECONDS="600", RECONCILE_SECONDS="3600", PROVIDER_DELETE_AFTER="never").start()
    provider.ca = it.ca
    yield it
    it.close()


@pytest.fixture
def folder(line):
    """For backups: where whoever runs the test may write."""
    path = line.run_dir + "-backups"
    os.mkdir(path)
    yield path
    shutil.rmtree(path)


def everything(line, person):
    faxes, before = [], None
    while True:
        page = person.get(f"{line.lan}/api/faxes", params={"limit": 200, **({"before": before} if before else {})}).json()
        faxes += page["faxes"]
        before = page["next"]
        if not before:
            return {fax["id"]: fax for fax in faxes}


def document(line, person, fax):
    return sha256(person.get(f"{line.lan}/api/faxes/{fax['id']}/document.pdf").content)


def receive(line, person, provider, content, sender="+12125550177"):
    sid = provider.receive(sender, content)
    assert line.webhook("/fax/payload", {"FaxSid": sid, "From": sender, "To": "+15005550006", "FaxStatus": "received", "NumPages": "1", "MediaUrl": provider.faxes[sid]["media_url"] + "?secret=42", "AuthToken": "hidden"}, headers={"Cookie": "hidden=1"}).status_code == 200
    return wait_until(lambda: next((fax for fax in line.received(person) if fax["provider_id"] == sid and fax["status"] == "received"), None))


def finish(provider, sid, status):
    provider.faxes[sid].update(status=status, num_pages=1)


def test_a_backup_under_load_comes_back_and_what_came_after_it_does_too(line, folder, provider, documents):
    person = line.browser_session()
    with open(documents["letter"], "rb") as file:
        letter = file.read()
    received = [receive(line, person, provider, letter + b"\n%" + str(i).encode()) for i in range(3)]
    done = line.send(person, "+12125551212", documents["letter"]).json()
    wait_until(lambda: line.fax(person, done["id"])["provider_id"])
    finish(provider, line.fax(person, done["id"])["provider_id"], "delivered")
    assert line.final(person, done["id"])["status"] == "delivered"
    # One is under way, and its answer was lost after the document was fetched.
    provider.mode = "fetch and drop"
    open_fax = line.send(person, "+12125551213", documents["letter"]).json()
    wait_until(lambda: line.fax(person, open_fax["id"])["status"] == "checking")
    provider.mode = "ok"
    stop, made = threading.Event(), []

    def load():
        session = line.browser_session()
        while not stop.is_set():
            made.append(line.send(session, "+15005559999", documents["letter"]).status_code)

    thread = threading.Thread(target=load)
    thread.start()
    try:
        wait_until(lambda: made)
        answer = json.loads(line.command("backup", f"{folder}/one", "--json").stdout)
    finally:
        stop.set()
        thread.join()
    assert set(made) == {202}
    assert answer["damaged"] == 0 and answer["documents"] >= 5 and not os.path.exists(f"{folder}/one.partial")
    # Anybody can check it; nothing in it is anybody else's to read.
    assert subprocess.run(["sha256sum", "--quiet", "-c", "manifest"], cwd=f"{folder}/one", check=True, capture_output=True).stdout == b""
    assert all(stat.S_IMODE(os.stat(f"{folder}/one/{name}").st_mode) == 0o600 for name in ("faxes.db", "people.db", "faxline.conf", "manifest"))
    with open(f"{folder}/one/faxline.conf", encoding="utf-8") as file:
        settings = file.read()
    assert "TWILIO_FAX_NUMBER=+15005550006" in settings and line.conf["TWILIO_TOKEN"] not in settings
    again = line.command("backup", f"{folder}/one", check=False)
    assert again.returncode == 65 and "never overwrites" in again.stderr
    line.command("backup", f"{folder}/two", "--with-secrets")
    with open(f"{folder}/two/faxline.conf", encoding="utf-8") as file:
        assert "TWILIO_TOKEN=" + line.conf["TWILIO_TOKEN"] in file.read()
    before = everything(line, person)
    digests = {fax["id"]: document(line, person, fax) for fax in [*received, done]}

    # After the backup one more comes, and then all is lost.
    later = receive(line, person, provider, letter + b"\n%later")
    refused = line.command("restore", f"{folder}/one", check=False)
    assert refused.returncode == 75 and "The line is running" in refused.stderr
    calls = len(provider.calls)
    line.stop()
    shutil.rmtree(f"{line.run_dir}/state")
    os.mkdir(f"{line.run_dir}/state", 0o755)
    owner = os.stat(f"{line.run_dir}/socket")
    os.chown(f"{line.run_dir}/state", owner.st_uid, owner.st_gid)
    # A backup that is not whole is not restored.
    victim = f"{folder}/two/documents/{sorted(os.listdir(f'{folder}/two/documents'))[0]}"
    content = open(victim, "rb").read()
    os.remove(victim)
    with open(victim, "wb") as file:
        file.write(content[:-1] + b"?")
    broken = line.command("restore", f"{folder}/two", check=False)
    assert broken.returncode == 65 and "is not what it was" in broken.stderr and not os.listdir(f"{line.run_dir}/state")
    restored = json.loads(line.command("restore", f"{folder}/one", "--json").stdout)
    assert restored["beside"] is None and restored["unresolved"] >= 1 and restored["lost"] == 0
    twice = line.command("restore", f"{folder}/one", check=False)
    assert twice.returncode == 65 and "--replace" in twice.stderr
    replaced = json.loads(line.command("restore", f"{folder}/one", "--replace", "--json").stdout)
    assert os.path.exists(replaced["beside"].replace(os.path.dirname(replaced["beside"]), f"{line.run_dir}/state") + "/db/faxline.db")
    # One that was cut off: nothing runs before it was repeated, and repeating it needs no further word.
    os.mkdir(f"{line.run_dir}/state/restore.new")
    cut_off = line.command("send", documents["letter"], "+12125551212", check=False)
    assert cut_off.returncode == 78 and "repeat `faxline restore`" in cut_off.stderr
    line.command("restore", f"{folder}/one")
    line.start()

    assert person.get(f"{line.lan}/api/faxes").status_code == 401, "sessions are over"
    person = line.browser_session()
    after = everything(line, person)
    for fax in [*received, done]:
        assert {**after[fax["id"]], "updated": ""} == {**before[fax["id"]], "updated": ""}
        assert document(line, person, fax) == digests[fax["id"]]
    assert all(fax["final"] for fax in after.values() if fax["direction"] == "outbound")
    unfinished = line.fax(person, open_fax["id"])
    assert unfinished["status"] == "unresolved" and unfinished["cause"]["code"] == "restored"
    assert unfinished["events"][-1]["what"] == "Restored from a backup"
    # The reconciler brings in the one that came later, once, by itself or when it is asked.
    line.command("reconcile", "--since", "2025-12-01")
    assert "0 faxes found" in line.command("reconcile", "--since", "2025-12-01").stdout
    mine = [fax for fax in line.received(person) if fax["provider_id"] == later["provider_id"]]
    assert len(mine) == 1 and mine[0]["status"] == "received" and mine[0]["id"] != later["id"]
    assert document(line, person, mine[0]) == sha256(letter + b"\n%later")
    for fax in received:
        assert sum(mail["X-Fax-Sid"] == fax["provider_id"] for mail in line.mails()) == 1
    assert len(provider.calls) == calls, "nothing is submitted until a person decides"
    assert person.post(f"{line.lan}/api/faxes/{open_fax['id']}/settle", json={"as": "delivered"}).json()["status"] == "delivered"


@pytest.mark.parametrize("name", ["db/faxline.db", "people/people.db"])
def test_a_database_that_is_missing_is_not_backed_up(line, folder, name):
    """Nor made: an empty copy would look like a good one."""
    line.stop()
    path = f"{line.run_dir}/state/{name}"
    os.rename(path, f"{path}.away")
    done = line.command("backup", f"{folder}/one", check=False)
    assert done.returncode == 78 and "There is no database" in done.stderr and name in done.stderr
    assert not os.path.exists(path) and not os.path.exists(f"{folder}/one")


def test_the_journal_and_a_replay(line, provider, documents):
    person = line.browser_session()
    with open(documents["letter"], "rb") as file:
        fax = receive(line, person, provider, file.read())
    first = line.mail_of(fax["provider_id"])
    wait_until(lambda: "Delivered to the mailbox" in line.command("show", fax["id"]).stdout)
    entry = json.loads(line.command("show", fax["id"], "--journal", "--json").stdout)["journal"][0]
    text = line.command("show", fax["id"], "--journal").stdout
    assert entry["decided"] == "a new fax" and entry["route"] == "POST payload" and len(entry["sha256"]) == 64 and entry["bytes"] > 0
    assert f"FaxSid: {fax['provider_id']}" in entry["fields"] and any(line.startswith("User-Agent: ") for line in entry["headers"])
    assert "hidden" not in text and "secret=42" not in text and "MediaUrl: http://" in text
    done = line.command("replay", fax["id"], "--json")
    assert json.loads(done.stdout) == {"id": fax["id"], "what": "mail"}
    mails = wait_until(lambda: (lambda found: found if len(found) == 2 else None)([mail for mail in line.mails() if mail["X-Fax-Sid"] == fax["provider_id"]]))
    assert {mail["Message-ID"] for mail in mails} == {first["Message-ID"]}
    asked = next(event for event in line.fax(person, fax["id"])["events"] if event["what"] == "Asked to deliver it again")
    assert asked["why"].startswith("By ")
    sent = line.send(person, "+12125551212", documents["letter"]).json()
    assert line.command("replay", sent["id"], check=False).returncode == 65
    assert line.command("replay", "01mcc5rm007a4ntwt8mb1249v0", check=False).returncode == 67
    # One that could not be fetched is fetched again.
    sid = provider.receive("+12125550188", b"")
    del provider.faxes[sid]["media_url"]
    line.webhook("/fax/payload", {"FaxSid": sid, "From": "+12125550188", "To": "+15005550006", "FaxStatus": "failed", "ErrorCode": "34004"})
    lost = wait_until(lambda: next((it for it in line.received(person) if it["provider_id"] == sid and it["final"]), None))
    with open(documents["letter"], "rb") as file:
        provider.documents["/media/" + sid] = file.read()
    provider.faxes[sid]["media_url"] = f"{provider.url}/media/{sid}"
    assert json.loads(line.command("replay", lost["id"], "--json").stdout)["what"] == "fetch"
    wait_until(lambda: line.fax(person, lost["id"])["status"] == "received")


def test_retention_days_0_removes_a_document_once_it_is_delivered(provider, documents):
    line = Line(FAX_PROVIDER="twilio", PROVIDER_URL=provider.url, TWILIO_FAX_NUMBER="+15005550006", RETENTION_DAYS="0").start()
    try:
        person = line.browser_session()
        with open(documents["letter"], "rb") as file:
            fax = receive(line, person, provider, file.read(), "+12125550199")
        line.mail_of(fax["provider_id"])
        events = wait_until(lambda: (lambda found: found if found[-1]["what"] == "The document was removed" else None)(line.fax(person, fax["id"])["events"]), 40)
        assert "RETENTION_DAYS" in events[-1]["why"]
        answer = person.get(f"{line.lan}/api/faxes/{fax['id']}/document.pdf")
        assert answer.status_code == 404 and "no longer kept" in answer.json()["detail"]
        assert [name for name in os.listdir(f"{line.run_dir}/state/spool") if name != "tmp"] == []
        assert line.command("replay", fax["id"], check=False).returncode == 65
        logs = "".join(open(os.path.join(line.run_dir, "log", name), encoding="utf-8", errors="replace").read() for name in os.listdir(f"{line.run_dir}/log"))
        assert re.search("event=purged documents=[1-9]", logs)
    finally:
        line.close()
