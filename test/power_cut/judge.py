"""What must hold in a folder that a power cut has left, and what was promised to the outside before it."""
import hashlib
import json
import os
import re
import sqlite3
import struct
import urllib.parse

from replay import HEAR, LINK, MAKE, MAP, RENAME, SAY, SYNCED, dice_of, replay

BEGIN, PARAMS, STDOUT = 1, 4, 6
HEARD_BYTES = 16384  # of a request; its parameters come first


# --- what was said to the outside ---

def records(data):
    """(kind, content) of FastCGI records; the last may be cut."""
    at = 0
    while at + 8 <= len(data) and data[at] == 1:
        kind, length, padding = data[at + 1], *struct.unpack_from("!HB", data, at + 4)
        yield kind, data[at + 8 : at + 8 + length]
        at += 8 + length + padding


def length_at(data, at):
    return (data[at], at + 1) if data[at] < 128 else (struct.unpack_from("!I", data, at)[0] & 0x7FFFFFFF, at + 4)


def parameters(data):
    found, at = {}, 0
    while at < len(data):
        name, at = length_at(data, at)
        value, at = length_at(data, at)
        found[data[at : at + name].decode("latin-1")] = data[at + name : at + name + value].decode("latin-1")
        at += name + value
    return found


class Promises:
    """What was acknowledged up to now, read off the sockets: (kind, what), each once.

    `erased`: id of a fax that a person erases -> its FaxSid; nothing of it is promised from then on, but that it is gone."""

    def __init__(self, erased):
        self.made, self.asked, self.erased, self.over, self.changes = {}, {}, erased, set(), 0

    def note(self, entry):
        """True: a promise more, or less."""
        before = set(self.made)
        key = (entry.process, entry.file)
        if entry.what == HEAR:
            self.heard(key, entry)
        elif entry.path == "faxline-queue":
            self.called(entry.data)
        elif entry.path == "faxline-deliver":
            if entry.data in (b"delivered", b"already there"):
                self.made["mailed", self.asked[key].decode()] = None
        elif key in self.asked and entry.data[:1] == b"\1":
            self.answered(entry.path, key, b"".join(content for kind, content in records(entry.data) if kind == STDOUT))
        self.made = {promise: None for promise in self.made if promise[1] not in self.over or promise[0] == "erased"}
        self.changes += before != set(self.made)
        return before != set(self.made)

    def heard(self, key, entry):
        if entry.path == "faxline-deliver" or entry.data[:2] == bytes([1, BEGIN]):
            self.asked[key] = b""
        if len(self.asked.get(key, b"")) < HEARD_BYTES:
            self.asked[key] = self.asked.get(key, b"") + entry.data
        if entry.path == "inbox":
            fax_id = self.request(key)[1].rsplit("/", 1)[1]
            self.over |= {fax_id, self.erased.get(fax_id, "")}

    def request(self, key):
        """(method, URI) of what was asked on that connection."""
        given = parameters(b"".join(content for kind, content in records(self.asked[key]) if kind == PARAMS))
        return given.get("REQUEST_METHOD"), given.get("REQUEST_URI", "/")

    def called(self, data):
        """The queue, of the provider."""
        words = data.decode("latin-1")
        for token in re.findall(r"MediaUrl=[^&]*%2Fsending%2F([^&]*)", words):
            self.made["called", hashlib.sha256(urllib.parse.unquote(token).encode()).hexdigest()] = None
        if words.startswith("DELETE "):
            self.made["deleted", re.search(r"FX[0-9a-f]{32}", words)[0]] = None

    def answered(self, program, key, answer):
        head, _, body = answer.partition(b"\r\n\r\n")
        status = int((re.search(rb"^Status: (\d+)", head, re.M) or [0, b"200"])[1])
        if not head or not 200 <= status < 300:
            return  # the end of an answer, or a refusal, which promises nothing
        asked = self.request(key)
        if program == "send" and asked == ("POST", "/api/faxes"):
            self.made["sent", json.loads(body)["id"]] = None
        elif program == "send" and asked == ("POST", "/api/documents"):
            self.made["kept", json.loads(body)["id"]] = None
        elif program == "inbox" and asked[0] == "DELETE":
            self.made["erased", asked[1].rsplit("/", 1)[1]] = None
        elif program == "inbound" and asked[1].startswith("/fax/payload"):
            self.made["received", re.search(r"FX[0-9a-f]{32}", asked[1])[0]] = None
        elif program == "media":
            self.made["handed out", re.search(rb"handout/(\w+)", head)[1].decode()] = None


# --- the book ---

def rows(connection, words):
    cursor = connection.execute(words)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row)) for row in cursor]


class Book:
    """faxline.db as SQLite finds it after the cut."""

    def __init__(self, files, folder):
        self.trouble, self.faxes, self.documents, self.attempts, self.parts, self.tombstones = None, {}, {}, {}, [], set()
        self.notices = set()  # file names of mails that tell of a fax
        for path in os.listdir(folder):
            os.remove(f"{folder}/{path}")
        for name, content in files.items():
            with open(f"{folder}/{name}", "wb") as file:
                file.write(content)
        try:
            connection = sqlite3.connect(f"{folder}/faxline.db", isolation_level=None)
            try:
                self.read(connection)
            finally:
                connection.close()
        except sqlite3.Error as error:
            self.trouble = str(error)

    def read(self, connection):
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        said = connection.execute("PRAGMA integrity_check").fetchone()[0]
        if said != "ok":
            self.trouble = said
            return
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'attempts'").fetchone():
            return
        self.faxes = {row["id"]: row for row in rows(connection, "SELECT * FROM faxes")}
        self.documents = {row["id"]: row for row in rows(connection, "SELECT * FROM documents")}
        self.attempts = {row["id"]: row for row in rows(connection, "SELECT * FROM attempts")}
        self.tombstones = {row["fax_sid"] for row in rows(connection, "SELECT * FROM tombstones")}
        self.parts = rows(connection, "SELECT * FROM fax_documents ORDER BY fax_id, position")
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'errands'").fetchone():
            self.notices = {row["mail_name"] for row in rows(connection, "SELECT mail_name FROM errands WHERE mail_name <> ''")}

    def documents_of(self, fax_id):
        return [part["document_id"] for part in self.parts if part["fax_id"] == fax_id]


# --- the verdict ---

class Judge:
    """`whole`: final name -> its whole content; `sent`: number -> sha256 of each document; `received`: FaxSid -> sha256."""

    def __init__(self, state, maildir, whole, sent, received, erased, scratch):
        self.database, self.spool, self.handout, self.mail = f"{state}/db/", f"{state}/spool/", f"{state}/handout/", f"{maildir}/"
        self.whole, self.sent, self.received, self.erased, self.scratch = whole, sent, received, erased, scratch
        self.books, self.digests = {}, {}

    def sha256(self, content):
        found = self.digests.get(content)
        if found is None:
            found = self.digests[content] = hashlib.sha256(content).hexdigest()
        return found

    def book(self, files):
        """Of each different database one, kept."""
        parts = {path[len(self.database) :]: content for path, content in files.items() if path.startswith(self.database)}
        key = hash(tuple(sorted(parts.items())))
        if key not in self.books:
            self.books[key] = Book(parts, self.scratch)
        return self.books[key]

    def complaints(self, files, promises):
        book = self.book(files)
        if book.trouble:
            yield f"the book cannot be read: {book.trouble}"
            return
        yield from self.half_files(files)
        yield from self.documents(book, files)
        yield from self.attempts(book, files)
        yield from self.mails(book, files)
        for kind, what in promises:
            yield from getattr(self, "promised_" + kind.replace(" ", "_"))(book, files, what)

    # whatever was promised
    def half_files(self, files):
        for path, content in files.items():
            if path in self.whole and content != self.whole[path]:
                yield f"half a file under a final name: {path} ({len(content)} of {len(self.whole[path])} bytes, or others)"

    def documents(self, book, files):
        for row in book.documents.values():
            content = files.get(self.spool + row["id"])
            if content is None:
                yield f"the book has document {row['id']}, the spool has not"
            elif self.sha256(content) != row["sha256"]:
                yield f"document {row['id']} is not what the book says"

    def attempts(self, book, files):
        for row in book.attempts.values():
            if row["voided_ms"] is None and row["ended_ms"] is None and self.handout + row["id"] not in files:
                yield f"attempt {row['id']} may be fetched, but its copy is not there"

    def mails(self, book, files):
        named = {part["mail_name"]: part for part in book.parts if part["mail_name"]}
        found = {path.rsplit("/", 1)[1].split(":")[0]: content for path, content in files.items() if path.startswith((self.mail + "new/", self.mail + "cur/"))}
        there = set(found)
        for name in there - set(named) - book.notices:
            if not any(sid.encode() in found[name] for sid in book.tombstones):
                yield f"mail {name} is there, but its name is not in the book: it would come twice"
        for part in book.parts:
            fax = book.faxes[part["fax_id"]]
            if fax["direction"] != "inbound":
                continue
            if part["mailed_ms"] is not None and part["mail_name"] not in there:
                yield f"mail of fax {fax['id']} is delivered by the book, but not in the Maildir"
            if part["mailed_ms"] is None and not (fax["mail_due"] and fax["next_at_ms"] is not None):
                yield f"mail of fax {fax['id']} is neither delivered nor due"

    # what was promised
    def sent_as(self, book, fax):
        return [book.documents[document]["sha256"] for document in book.documents_of(fax["id"]) if document in book.documents]

    def fax_of(self, book, sid):
        return next((fax for fax in book.faxes.values() if fax["provider_id"] == sid and fax["direction"] == "inbound"), None)

    def promised_sent(self, book, _files, fax_id):
        fax = book.faxes.get(fax_id)
        if fax is None:
            yield f"fax {fax_id} was accepted, and is lost"
        elif self.sent_as(book, fax) != self.sent[fax["to_number"]]:
            yield f"fax {fax_id} has lost its documents"
        elif fax["final_ms"] is None and fax["next_at_ms"] is None:
            yield f"fax {fax_id} is stuck: nobody will take it up"

    def promised_received(self, book, _files, sid):
        fax = self.fax_of(book, sid)
        if fax is None:
            yield f"received fax {sid} was acknowledged, and is lost"
        elif fax["status"] == "received":
            if self.sent_as(book, fax) != [self.received[sid]]:
                yield f"received fax {sid} has not the document that came"
        elif not (fax["status"] == "fetching" and fax["media_url"] and fax["next_at_ms"] is not None):
            yield f"received fax {sid} is neither stored nor to be fetched: {fax['status']}"

    def promised_kept(self, book, _files, document):
        if document not in book.documents:
            yield f"document {document} was taken, and is lost"

    def promised_erased(self, book, _files, fax_id):
        sid = self.erased[fax_id]
        if fax_id in book.faxes or (sid and sid not in book.tombstones):
            yield f"fax {fax_id} was erased, and is back"

    def promised_deleted(self, book, _files, sid):
        fax = self.fax_of(book, sid)
        if fax is None or fax["status"] != "received" or self.sent_as(book, fax) != [self.received[sid]]:
            yield f"the provider's copy of {sid} was deleted before ours was durable"

    def promised_called(self, book, _files, token_hash):
        if not any(row["media_token_hash"] == token_hash for row in book.attempts.values()):
            yield "the provider was called, and the book knows of no such attempt"

    def promised_handed_out(self, book, _files, attempt):
        row = book.attempts.get(attempt)
        if row is None or row["handed_out_ms"] is None:
            yield f"attempt {attempt} was handed out, and the book does not know"

    def promised_mailed(self, _book, files, name):
        if self.mail + "new/" + name not in files and not any(path.startswith(self.mail + "cur/" + name) for path in files):
            yield f"mail {name} was called delivered, and is lost"



# --- all cuts of one run ---

class Verdict:
    def __init__(self):
        self.cuts = self.outcomes = self.distinct = 0
        self.complaints = {}  # words without ids -> the first with them: (entry, words)

    def __str__(self):
        return f"{self.cuts} cuts, {self.outcomes} outcomes, {self.distinct} of them different, {len(self.complaints)} kinds of complaint"


def whole_files(entries, run):
    """Final name -> its content when it got that name; and the disk at the end, as the log has it."""
    found, disk = {}, None
    finals = (run.state + "/spool", run.state + "/handout", run.maildir + "/new", run.maildir + "/cur")
    for entry, _, disk in replay(entries, run.folders):
        assert entry.what != MAP, f"{entry.path} is mapped: its changes cannot be followed"
        name = entry.path if entry.what == MAKE else entry.other
        if entry.what in (MAKE, LINK, RENAME) and os.path.dirname(name) in finals and not os.path.basename(name).startswith("."):
            found[name] = disk.live[name]
    return {name: bytes(file.live) for name, file in found.items()}, disk


def early(entries):
    """The same log, as if every answer had been given before the sync that it waits for."""
    moved, since = [], []
    for entry in entries:
        if entry.what == SAY:
            moved.append(entry)
            continue
        if entry.what == SYNCED and not entry.is_folder:
            moved, since = moved + since, [entry]
        elif since:
            since.append(entry)
        else:
            moved.append(entry)
    return moved + since


def judge_run(run, entries, scratch, drops=None, until=None, seed=1, sample=None):
    """Judges what a cut after each entry could leave. `drops`: syncs that are left out, judged from the first of them on.
    `until`: words; it ends once a complaint has been heard with each. `sample`: is given every 400th outcome, and what was promised."""
    sha256 = lambda data: hashlib.sha256(data).hexdigest()  # noqa: E731
    sent = {number: [sha256(data) for data in documents] for number, documents in run.sent.items()}
    judge = Judge(run.state, run.maildir, whole_files(entries, run)[0], sent, {sid: sha256(data) for sid, data in run.received.items()}, run.erased, scratch)
    promises, verdict, dice, seen = Promises(run.erased), Verdict(), dice_of(seed), set()
    for number, (entry, changed, disk) in enumerate(replay(entries, run.folders, drops)):
        promised = entry.what in (SAY, HEAR) and promises.note(entry)
        if not (changed or promised) or (drops and not disk.dropped):
            continue
        verdict.cuts += 1
        for outcome in disk.outcomes(dice):
            verdict.outcomes += 1
            key = hash((promises.changes, frozenset(outcome.items())))
            if key in seen:
                continue
            seen.add(key)
            verdict.distinct += 1
            if sample and verdict.distinct % 400 == 0:
                sample(outcome, set(promises.made))
            for words in judge.complaints(outcome, promises.made):
                verdict.complaints.setdefault(re.sub(r"\b(?=\S*\d)\S+", "…", words), (number, words))
            if until and all(any(part in words for _, words in verdict.complaints.values()) for part in until):
                return verdict
    return verdict
