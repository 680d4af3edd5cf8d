"""Reads the books of a line that runs: ours through the API (and the attempts in the database), the provider's in its own
folder, the Maildir."""
import collections
import datetime
import email
import hashlib
import json
import os
import re
import subprocess
import sys

import requests

from judge import Attempt, Ledgers, Mail, Ours, Theirs

PAGE = 200
SQL = """import sqlite3, sys
book = sqlite3.connect(sys.argv[1], timeout=20)
with book:
    for row in book.execute(sys.argv[2], sys.argv[3:]):
        print(*row)
"""


def ours(line, key):
    """Every fax of the API's lists, both directions."""
    found = []
    with requests.Session() as session:
        session.trust_env, session.verify = False, line.ca
        session.headers["Authorization"] = "Bearer " + key
        for direction in ("outbound", "inbound"):
            before = None
            while True:
                query = {"direction": direction, "limit": PAGE} | ({"before": before} if before else {})
                answer = session.get(line.lan + "/api/faxes", params=query, timeout=30)
                if answer.status_code != 200:
                    raise ConnectionError(f"GET /api/faxes: {answer.status_code} {answer.text[:200]}")
                found += [our_fax(fax) for fax in answer.json()["faxes"]]
                before = answer.json()["next"]
                if not before:
                    break
    return found


def our_fax(fax):
    created = datetime.datetime.fromisoformat(fax["created"].replace("Z", "+00:00")).timestamp()
    return Ours(fax["id"], fax["direction"], fax["status"], fax["final"], fax["to"], fax["provider_id"] or "", fax["resend_of"] or "", fax["pages"], created)


def sql(line, statement, *values):
    """Rows of the database, as words. By its owner: another account could leave files there that the programs cannot write."""
    path = os.path.join(line.state_dir, "db/faxline.db")
    owner = os.stat(path)
    account = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.getuid() == 0 else {}
    done = subprocess.run([sys.executable, "-IB", "-c", SQL, path, statement, *values], capture_output=True, text=True, timeout=60, cwd="/", check=False, **account)
    if done.returncode:
        raise ConnectionError("the database cannot be read: " + done.stderr[-300:])
    return [row.split() for row in done.stdout.splitlines()]


def attempts(line):
    return [Attempt(*row) for row in sql(line, "SELECT fax_id, callback_token_hash FROM attempts")]


class ProvidersBook:
    """The practice provider's own files. What has ended is read once."""

    def __init__(self, line, sha256_of_sender):
        self.line, self.sha256_of_sender = line, sha256_of_sender
        self.read_already = {}  # file name -> (time of change, Theirs)
        self.not_taken = collections.Counter()  # FaxSid -> messages to us that were not answered with 2xx
        self.log_at = 0

    def follow_log(self):
        """The provider's log says which of its messages we did not take; it is cut off when it is large."""
        path = os.path.join(self.line.run_dir, "log/sandbox.log")
        size = os.path.getsize(path)
        if size < self.log_at:
            self.log_at = 0
        with open(path, "rb") as file:
            file.seek(self.log_at)
            text = file.read(size - self.log_at)
        whole = text[: text.rfind(b"\n") + 1]
        self.log_at += len(whole)
        self.not_taken.update(sid.decode() for sid in re.findall(rb"was not taken from the sandbox.*?\bsid=\"?([0-9A-Za-z-]+)", whole))

    def faxes(self):
        for entry in os.scandir(os.path.join(self.line.state_dir, "sandbox/faxes")):
            if not entry.name.endswith(".json"):
                continue
            try:
                changed = entry.stat().st_mtime_ns
                if self.read_already.get(entry.name, (0,))[0] != changed:
                    with open(entry.path, encoding="utf-8") as file:
                        self.read_already[entry.name] = (changed, *self.their_fax(json.load(file)))
            except FileNotFoundError:
                continue  # replaced in this moment: it is read the next time
        self.follow_log()  # a failure is logged before the book is changed
        for _, theirs, tries, told in self.read_already.values():
            # Of a message that was never taken the last failure is in the log, and is not counted as a try.
            theirs.acknowledged = told and self.not_taken[theirs.sid] <= tries
        return [theirs for _, theirs, _, _ in self.read_already.values()]

    def their_fax(self, fax):
        """The fax, how often its message was tried again, and whether there was one and it is over."""
        token = fax["status_callback"].rpartition("/")[2]
        final = fax["status"] not in ("queued", "processing", "sending", "receiving")
        inbound = fax["direction"] == "inbound"
        kept = inbound and fax["has_media"] and fax["store_media"]
        theirs = Theirs(
            fax["sid"], fax["direction"], fax["status"], fax["to"], hashlib.sha256(token.encode()).hexdigest() if token else "", fax["error_code"], fax["pages"],
            document_kept=kept, stored_there=fax["store_media"], ended=final and (kept or not fax["next"]), sha256=self.sha256_of_sender.get(fax["from"], "") if inbound else "",
        )  # fmt: skip
        return theirs, fax["tries"], inbound and final and not fax["next"] and bool(fax["action"])


def maildir(line):
    """Message-ID -> how many files, and the FaxSid of received ones."""
    counts, sids = collections.Counter(), {}
    for name in ("new", "cur"):
        for entry in os.scandir(os.path.join(line.maildir, name)):
            try:
                with open(entry.path, "rb") as file:
                    head = email.message_from_bytes(file.read(8192).split(b"\n\n")[0] + b"\n\n")
            except FileNotFoundError:
                continue  # the mail program was quicker
            message_id = str(head["Message-ID"])
            counts[message_id] += 1
            sids[message_id] = (str(head["X-Fax-Sid"] or ""), head["X-Faxline"] == "received")
    return counts, sids


def mails(line, notes, reader):
    """What the mail program saw, and what lies in the Maildir besides."""
    counts, sids = maildir(line)
    found = {message_id: Mail(**vars(mail)) for message_id, mail in list(notes.mails.items())}
    for message_id, count in counts.items():
        mail = found.setdefault(message_id, Mail(message_id, *sids[message_id]))
        copies = count + reader.deleted[message_id]
        if copies > mail.copies:
            mail.copies, mail.again_seen = copies, notes.now()
    return list(found.values())


def collect(line, notes, reader, provider, key, crashes):
    """All ledgers as they are now. ConnectionError: one of them cannot be read."""
    try:
        # Ours first: what is made meanwhile must not look as if we alone had it.
        book = ours(line, key)
        theirs = provider.faxes()
        return Ledgers(list(notes.orders), notes.people, book, attempts(line), theirs, mails(line, notes, reader), list(crashes), notes.now())
    except requests.RequestException as error:
        raise ConnectionError(str(error)) from None
