"""Those who use the line: senders, faxes that arrive, a person at the page, a mail program. Each is a thread with choices
of its own from the seed, goes on whatever the line does, and writes into the shared Notes what it was promised."""
import collections
import email
import email.policy
import hashlib
import itertools
import poplib
import random
import secrets
import threading
import time

import requests

import pdf
from judge import Mail, Order, People

OWN, BUSY, NO_ANSWER, BREAKS_OFF, SLOW, REFUSED = "+15005550006", "+15005550001", "+15005550002", "+15005550003", "+15005550004", "+15005550005"
SLOW_SECONDS = 60
AREAS = ("212", "312", "415", "617", "718", "202", "303", "404", "503", "713")
ANSWER_SECONDS = 15


class Notes:
    """What the clients know. Bounded: some hundred bytes a fax."""

    def __init__(self):
        self.lock = threading.Lock()
        self.orders, self.people, self.mails = [], People(), {}
        self.documents = {}  # sender of a fax that arrives -> sha256
        self.counts = collections.Counter()
        self.unexpected = collections.Counter()
        self.numbers = itertools.count()

    def new_number(self):
        """One that no other fax has, valid in America."""
        with self.lock:
            count = next(self.numbers)
        area, rest = AREAS[count % len(AREAS)], count // len(AREAS)
        return f"+1{area}{220 + rest // 10_000 % 90}{rest % 10_000:04d}"

    def now(self):
        return time.time()

    def count(self, what):
        with self.lock:
            self.counts[what] += 1


class Client(threading.Thread):
    """step() again and again, with pauses of `pause` seconds on average, until stop()."""

    def __init__(self, name, seed, line, notes, key, pause):
        super().__init__(name=name, daemon=True)
        self.random = random.Random(f"{seed}/{name}")
        self.line, self.notes, self.key, self.pause = line, notes, key, pause
        self.ending, self.gone, self.died = threading.Event(), threading.Event(), None

    def run(self):
        try:
            while not self.ending.wait(min(self.random.expovariate(1 / self.pause), 5 * self.pause)):
                self.step()
        except Exception as error:  # pylint: disable=broad-except  # told by the soak
            self.died = error

    def stop(self):
        self.ending.set()

    def ask(self, method, path, **more):
        """The answer, or nothing: not reached, cut off, or the line says that it cannot now."""
        headers = {"Authorization": "Bearer " + self.key, **more.pop("headers", {})}
        try:
            with requests.Session() as session:
                session.trust_env = False
                answer = session.request(method, self.line.lan + path, headers=headers, timeout=ANSWER_SECONDS, verify=self.line.ca, **more)
        except (requests.RequestException, OSError):
            self.notes.count("requests without an answer")
            return None
        if answer.status_code >= 500 or answer.status_code == 429:
            self.notes.count("requests refused for now")
            return None
        return answer

    def unexpected(self, what, answer):
        with self.notes.lock:
            self.notes.unexpected[f"{what}: {answer.status_code} {answer.text[:120]}"] += 1


class Sender(Client):
    """Sends faxes. One whose answer did not come is sent again with its key, until it is answered."""

    KINDS = {"other": 50, OWN: 12, BUSY: 7, NO_ANSWER: 6, BREAKS_OFF: 6, SLOW: 4, REFUSED: 5}

    def __init__(self, *words, last_slow):
        super().__init__(*words)
        self.last_slow = last_slow  # a monotonic time: no slow ones after it

    def step(self):
        to = self.random.choices(list(self.KINDS), self.KINDS.values())[0]
        if to == "other" or (to == SLOW and time.monotonic() > self.last_slow):
            to = self.notes.new_number()
        count = 1 if self.random.random() < 0.85 else self.random.randint(2, 3)
        padding = self.random.choices((0, 20_000, 400_000), (70, 25, 5))
        documents = [pdf.make(self.random.randint(1, 3), padding[0]) for _ in range(count)]
        order = Order(secrets.token_hex(12), to)
        with self.notes.lock:
            self.notes.orders.append(order)
        while not self.once(order, documents) and not self.gone.wait(self.random.uniform(0.3, 1.5)):
            pass
        if order.fax_ids and self.random.random() < 0.1:  # as one whose answer got lost on the last metre
            self.once(order, documents)

    def once(self, order, documents):
        files = [("file", (f"{i}.pdf", document, "application/pdf")) for i, document in enumerate(documents)]
        answer = self.ask("POST", "/api/faxes", data={"to": order.to}, files=files, headers={"Idempotency-Key": order.key})
        if answer is None:
            return False
        if answer.status_code != 202:
            self.unexpected("POST /api/faxes", answer)
            return False
        if not order.fax_ids:
            self.notes.count("faxes out")
        order.fax_ids.add(answer.json()["id"])
        return True


class Arrivals(Client):
    """Faxes from outside, each from a number of its own."""

    def step(self):
        sender = self.notes.new_number()
        address = self.line.ready["sandbox"] + "/sandbox/receive"
        failing = self.random.random() < 0.05
        document = pdf.make(self.random.randint(1, 3), self.random.choice((0, 0, 0, 50_000)))
        if not failing:
            self.notes.documents[sender] = hashlib.sha256(document).hexdigest()
        data = {"data": {"From": sender, "ErrorCode": "34004", "ErrorMessage": "Fax transmission error"}} if failing else {"params": {"From": sender}, "data": document, "headers": {"Content-Type": "application/pdf"}}
        try:
            answer = requests.post(address, auth=(self.line.conf["TWILIO_SID"], self.line.conf["TWILIO_TOKEN"]), verify=self.line.ca, timeout=ANSWER_SECONDS, **data)
        except (requests.RequestException, OSError):
            return  # if it was taken, the provider's book says so
        if answer.status_code == 201:
            self.notes.count("faxes in")
        elif answer.status_code < 500:
            self.unexpected("POST /sandbox/receive", answer)


class Person(Client):
    """Looks at the lists, and cancels, sends again, deletes, settles, reads what is there."""

    def step(self):
        direction = self.random.choice(("outbound", "outbound", "inbound"))
        answer = self.ask("GET", f"/api/faxes?direction={direction}&limit=50")
        if answer is None:
            return
        if answer.status_code != 200:
            self.unexpected("GET /api/faxes", answer)
            return
        faxes = answer.json()["faxes"]
        if not faxes:
            return
        fax = self.random.choice(faxes)
        (self.sent if direction == "outbound" else self.received)(fax)

    def sent(self, fax):
        chance = self.random.random()
        if fax["status"] == "unresolved" and chance < 0.5:
            self.settle(fax)
        elif not fax["final"] and chance < 0.25:
            self.change("POST", f"/api/faxes/{fax['id']}/cancel", (200, 409), "cancels")
        elif fax["final"] and fax["status"] in ("failed", "unresolved", "canceled") and chance < 0.15:
            self.resend(fax)
        elif fax["final"] and chance < 0.2 and not fax["to"].startswith("+1500555"):
            self.delete(fax)
        else:
            self.look(fax)

    def received(self, fax):
        if fax["final"] and self.random.random() < 0.15 and any(mail.sid == fax["provider_id"] for mail in list(self.notes.mails.values())):
            self.delete(fax)
        else:
            self.look(fax)

    def look(self, fax):
        if self.random.random() < 0.5:
            self.change("GET", f"/api/faxes/{fax['id']}", (200, 404), "looks")
        elif self.random.random() < 0.5:
            self.change("GET", f"/api/faxes/{fax['id']}/document.pdf", (200, 404), "documents read")
        else:
            self.change("POST", f"/api/faxes/{fax['id']}/read", (200, 404, 409), "marks", json={"read": True})

    def change(self, method, path, expected, what, **more):
        answer = self.ask(method, path, **more)
        if answer is not None and answer.status_code not in expected:
            self.unexpected(f"{method} {path.split('/')[-1] if method != 'DELETE' else 'a fax'}", answer)
        elif answer is not None:
            self.notes.count(what)
        return answer

    def settle(self, fax):
        self.notes.people.settled.add(fax["id"])  # before: the answer may get lost
        answer = self.change("POST", f"/api/faxes/{fax['id']}/settle", (200, 404, 409), "settled", json={"as": self.random.choice(("delivered", "failed"))})
        if answer is not None and answer.status_code != 200:
            self.notes.people.settled.discard(fax["id"])

    def resend(self, fax):
        order = Order(secrets.token_hex(12), fax["to"], resend_of=fax["id"])
        with self.notes.lock:
            self.notes.orders.append(order)
        answer = self.change("POST", f"/api/faxes/{fax['id']}/resend", (202, 404, 409), "resends", headers={"Idempotency-Key": order.key})
        if answer is not None and answer.status_code == 202:
            order.fax_ids.add(answer.json()["id"])

    def delete(self, fax):
        people, sid = self.notes.people, fax["provider_id"] if fax["direction"] == "inbound" else None
        people.deleted[fax["id"]] = "asked"
        if sid:
            people.deleted_sids[sid] = "asked"
        answer = self.change("DELETE", f"/api/faxes/{fax['id']}", (204, 404, 409), "deletions")
        if answer is not None and answer.status_code in (204, 404):
            people.deleted[fax["id"]] = "done"
            if sid:
                people.deleted_sids[sid] = "done"
        elif answer is not None:
            del people.deleted[fax["id"]]  # it went on meanwhile
            people.deleted_sids.pop(sid, None)


class MailReader(Client):
    """Reads every mail once and deletes most. A mail is counted by what is in the mailbox at one time, and what it deleted."""

    def __init__(self, *words):
        super().__init__(*words)
        self.known = {}  # UIDL of what is there -> Message-ID
        self.deleted = collections.Counter()  # Message-ID -> copies that are certainly gone

    def step(self):
        try:
            mailbox = self.line.pop3()
        except (OSError, poplib.error_proto, EOFError):
            self.notes.count("mailbox not reached")
            return
        try:
            gone = self.look(mailbox)
            mailbox.quit()
            self.deleted.update(gone)
        except (OSError, poplib.error_proto, EOFError):
            mailbox.close()  # nothing is deleted without QUIT; if it was, it does not come again

    def look(self, mailbox):
        there, gone = {}, []
        for entry in mailbox.uidl()[1]:
            number, uidl = entry.decode().split()
            message_id = self.known.get(uidl) or self.read(mailbox, number)
            there[uidl] = (number, message_id)
            self.known[uidl] = message_id
        self.known = {uidl: message_id for uidl, (_, message_id) in there.items()}
        self.tally(collections.Counter(message_id for _, message_id in there.values()))
        for number, message_id in there.values():
            if self.random.random() < 0.5:
                mailbox.dele(number)
                gone.append(message_id)
        return gone

    def tally(self, present):
        """What is there now, besides what was deleted before."""
        now = time.time()
        for message_id, count in present.items():
            mail = self.notes.mails.get(message_id)
            copies = count + self.deleted[message_id]
            if mail and copies > mail.copies:
                mail.copies, mail.again_seen = copies, now

    def read(self, mailbox, number):
        message = email.message_from_bytes(b"\r\n".join(mailbox.retr(number)[1]) + b"\r\n", policy=email.policy.default)
        message_id = str(message["Message-ID"])
        if message_id not in self.notes.mails:
            document = next(iter(message.iter_attachments()), None)
            sha256 = hashlib.sha256(document.get_payload(decode=True)).hexdigest() if document else ""
            received = message["X-Faxline"] == "received"
            self.notes.mails[message_id] = Mail(message_id, str(message["X-Fax-Sid"] or ""), received, sha256, first_seen=time.time())
            self.notes.count("mails" if received else "notices")
        return message_id
