"""A real run of the line's programs under the recorder: faxes go out, come in, are mailed, repeated and erased."""
import base64
import hashlib
import hmac
import json
import os
import re
import subprocess
import urllib.parse

import fake_provider
from fastcgi_client import Program
from line import wait_until

HOST, TOKEN = "fax.example", "a long random word"
PUBLIC = f"https://{HOST}"


def pdf(words, bytes_more=3000):
    """A PDF of one page, written here: it is small, and its bytes are known."""
    text = f"BT /F1 24 Tf 72 700 Td ({words}) Tj ET\n% ".encode() + hashlib.sha512(words.encode()).hexdigest().encode() * (bytes_more // 128)
    parts = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
             b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
             b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text), b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, part in enumerate(parts, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    start = len(out)
    out += b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(out + b"trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % start)


def multipart(fields, files):
    mark = "----a-boundary-that-is-in-no-document"
    body = bytearray()
    for name, value in fields.items():
        body += f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    for name, data in files:
        body += f'--{mark}\r\nContent-Disposition: form-data; name="{name}"; filename="fax.pdf"\r\nContent-Type: application/pdf\r\n\r\n'.encode() + data + b"\r\n"
    return bytes(body + f"--{mark}--\r\n".encode()), {"Content-Type": f"multipart/form-data; boundary={mark}", "Origin": f"https://{HOST}"}


class Run:
    """The programs on a folder of their own, under the recorder unless that is None.

    `sent`: number -> documents; `received`: FaxSid -> document; `erased`: id of a fax -> its FaxSid, or nothing if it was sent."""

    def __init__(self, build, recorder, folder, provider=None):
        self.build, self.folder = build, os.path.realpath(folder)
        self.state, self.maildir = f"{self.folder}/state", f"{self.folder}/Maildir"
        self.folders = [f"{self.state}/{name}" for name in ("db", "spool", "handout")] + [self.maildir] + [f"{self.maildir}/{name}" for name in ("tmp", "new", "cur")]
        for path in [*self.folders, f"{self.folder}/socket"]:
            os.makedirs(path)
        self.log = f"{self.folder}/log"
        self.provider = provider or fake_provider.Provider()
        self.settings = {
            "MAILDIR_ROOT_DIR": self.maildir, "PUBLIC_HOSTNAME": HOST, "TWILIO_SID": "AC1", "TWILIO_TOKEN": TOKEN, "TWILIO_FAX_NUMBER": "+15005550006",
            "STATE_DIR": self.state, "SOCKET_DIR": f"{self.folder}/socket", "FAX_PROVIDER": "twilio", "PROVIDER_URL": self.provider.url, "RECONCILE_SECONDS": "3600", "CHECK_SECONDS": "1",
        }  # fmt: skip
        self.conf = f"{self.folder}/faxline.conf"
        with open(self.conf, "w", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in self.settings.items())
        self.plain = {"FAXLINE_CONF": self.conf, "PATH": os.environ["PATH"]}
        watched = ":".join([*self.folders[:3], self.maildir])
        self.recorded = {**self.plain, **({"LD_PRELOAD": recorder, "POWER_CUT_LOG": self.log, "POWER_CUT_FOLDERS": watched} if recorder else {})}
        self.programs, self.daemons, self.sent, self.received, self.erased = {}, [], {}, {}, {}

    def start(self):
        for name in ("send", "inbound", "media", "status", "inbox"):
            self.programs[name] = Program([f"{self.build}/cgi-bin/{name}"], f"{self.folder}/socket", env=self.recorded)
        with open(f"{self.folder}/daemons.log", "ab") as log:
            for name in ("faxline-deliver", "faxline-queue"):
                self.daemons.append(subprocess.Popen([f"{self.build}/bin/{name}"], env=self.recorded, stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def stop(self):
        for daemon in reversed(self.daemons):
            daemon.terminate()
            assert daemon.wait(20) == 0, self.daemon_log()
        for program in self.programs.values():
            assert program.stop() == 0, program.log()
        self.close()

    def close(self):
        for daemon in self.daemons:
            if daemon.poll() is None:
                daemon.kill()
                daemon.wait()
        for program in self.programs.values():
            program.kill()
        self.provider.close()

    def daemon_log(self):
        with open(f"{self.folder}/daemons.log", encoding="utf-8", errors="replace") as file:
            return file.read()

    def fax(self, fax_id):
        return self.programs["status"].ask("GET", f"/api/faxes/{fax_id}", user="anna").json()

    def wait_for(self, what):
        try:
            return wait_until(what, 60, 0.05)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.daemon_log()}") from None

    def faxes(self):
        return self.programs["status"].ask("GET", "/api/faxes", user="anna").json()["faxes"]

    # --- out ---
    def send(self, number, *documents, key=None):
        body, headers = multipart({"to": number}, [("file", document) for document in documents])
        return self.accepted(number, documents, body, {**headers, **({"Idempotency-Key": key} if key else {})})

    def send_uploaded(self, number, document):
        """The document first, then a fax that names it."""
        body, headers = multipart({}, [("file", document)])
        answer = self.programs["send"].ask("POST", "/api/documents", body, user="anna", headers=headers)
        assert answer.status == 202, (answer.body, self.programs["send"].log())
        body = json.dumps({"to": number, "documents": [answer.json()["id"]]}).encode()
        return self.accepted(number, [document], body, {"Content-Type": "application/json", "Origin": PUBLIC})

    def accepted(self, number, documents, body, headers):
        answer = self.programs["send"].ask("POST", "/api/faxes", body, user="anna", headers=headers)
        assert answer.status == 202, (answer.body, self.programs["send"].log())
        self.sent[number] = documents
        return answer.json()["id"]

    def erase(self, fax_id, sid=""):
        self.erased[fax_id] = sid
        answer = self.programs["inbox"].ask("DELETE", f"/api/faxes/{fax_id}", user="anna", headers={"Origin": PUBLIC})
        assert answer.status == 204, (answer.body, self.programs["inbox"].log())

    def carry(self, fax_id, number):
        """As the provider: fetches the document, says that it was delivered, calls back."""
        call = self.wait_for(lambda: next((call for call in self.provider.calls if call["To"] == number), None))
        answer = self.programs["media"].ask("GET", urllib.parse.urlsplit(call["MediaUrl"]).path)
        assert answer.status == 200, self.programs["media"].log()
        with open(f"{self.state}/handout/{answer.header('X-Accel-Redirect').rsplit('/', 1)[1]}", "rb") as file:
            assert file.read(5) == b"%PDF-"
        self.wait_for(lambda: self.fax(fax_id)["provider_id"])
        sid = self.fax(fax_id)["provider_id"]
        self.provider.faxes[sid].update(status="delivered", num_pages=self.fax(fax_id)["pages"])
        self.webhook(urllib.parse.urlsplit(call["StatusCallback"]).path, {"FaxSid": sid, "FaxStatus": "delivered"})
        fax = self.wait_for(lambda: (lambda it: it if it["final"] else None)(self.fax(fax_id)))
        assert fax["status"] == "delivered", fax

    # --- in ---
    def webhook(self, target, fields, files=(), signed=False):
        body, headers = multipart(fields, files) if files else (urllib.parse.urlencode(fields).encode(), {"Content-Type": "application/x-www-form-urlencoded"})
        if signed:
            text = PUBLIC + target + "".join(name + value for name, value in sorted(fields.items()))
            headers["X-Twilio-Signature"] = base64.b64encode(hmac.new(TOKEN.encode(), text.encode(), hashlib.sha1).digest()).decode()
        answer = self.programs["inbound"].ask("POST", target, body, headers=headers)
        assert answer.status == 200, (target, answer.status, self.programs["inbound"].log())
        return answer.body.decode()

    def receive(self, sender, document, by_url):
        sid = self.provider.receive(sender, document)
        call = {"FaxSid": sid, "AccountSid": "AC1", "From": sender, "To": "+15005550006"}
        words = self.webhook("/fax/initialize", call, signed=True)
        action = urllib.parse.urlsplit(re.search(r'action="([^"]+)"', words)[1].replace("&amp;", "&"))
        self.received[sid] = document
        said = {**call, "FaxStatus": "received", "NumPages": "1", **({"MediaUrl": self.provider.faxes[sid]["media_url"]} if by_url else {})}
        payload = (f"{action.path}?{action.query}", said, [] if by_url else [("Media", document)])
        self.webhook(*payload)
        self.wait_for(lambda: sid in self.mailed())
        if by_url:
            self.wait_for(lambda: any(sid in path for path in self.provider.deleted))
            self.wait_for(lambda: "Deleted at the provider" in self.story(sid))
        self.wait_for(lambda: "Delivered to the mailbox" in self.story(sid))
        return payload

    def checkpoint(self):
        """As SQLite does by itself after a thousand pages: the log's pages go into the database, and the log begins anew."""
        words = f"import sqlite3; print(sqlite3.connect('{self.state}/db/faxline.db', timeout=20).execute('PRAGMA wal_checkpoint(RESTART)').fetchone()[0])"
        done = subprocess.run(["/usr/bin/python3", "-c", words], env=self.recorded, capture_output=True, text=True, check=True, timeout=60)
        assert done.stdout == "0\n", done.stdout

    def is_told(self):
        """A mail tells of how a fax ended."""
        return any(b"\nX-Faxline: notice" in open(f"{self.maildir}/new/{name}", "rb").read() for name in os.listdir(f"{self.maildir}/new"))

    def mailed(self):
        """FaxSids of the mails."""
        found = []
        for name in os.listdir(f"{self.maildir}/new"):
            with open(f"{self.maildir}/new/{name}", encoding="latin-1") as file:
                found += re.findall(r"^X-Fax-Sid: (\S+)", file.read(), re.M)
        return found

    def story(self, sid):
        return [event["what"] for event in self.fax(self.received_id(sid))["events"]]

    def received_id(self, sid):
        return next(fax["id"] for fax in self.faxes() if fax["provider_id"] == sid)


def list_after(run, outcome, folder):
    """What the real `faxline list --json` finds in an outcome, laid out in a new folder: each fax, by id and by the provider's id."""
    for path in run.folders:
        os.makedirs(path.replace(run.folder, folder), exist_ok=True)
    for path, content in outcome.items():
        os.makedirs(os.path.dirname(path.replace(run.folder, folder)), exist_ok=True)
        with open(path.replace(run.folder, folder), "wb") as file:
            file.write(content)
    settings = {**run.plain, "STATE_DIR": f"{folder}/state", "MAILDIR_ROOT_DIR": f"{folder}/Maildir"}
    done = subprocess.run([f"{run.build}/bin/faxline", "list", "--json"], env=settings, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    faxes = json.loads(done.stdout)
    return {fax[name] for fax in (faxes["faxes"] if isinstance(faxes, dict) else faxes) for name in ("id", "provider_id") if fax[name]}


def record(build, recorder, folder):
    """The run, over, with its log."""
    run = Run(build, recorder, folder)
    try:
        run.start()
        run.checkpoint()
        one = run.send("+12125551212", pdf("one"), key="once")
        assert run.send("+12125551212", pdf("one"), key="once") == one
        run.carry(one, "+12125551212")
        run.wait_for(run.is_told)
        run.checkpoint()
        payload = run.receive("+12125550001", pdf("three"), by_url=True)
        two = run.send("+12125551213", pdf("first half"), pdf("second half"))
        again = run.receive("+12125550002", pdf("four"), by_url=False)
        run.webhook(*again)
        run.checkpoint()
        run.carry(two, "+12125551213")
        run.carry(run.send_uploaded("+12125551214", pdf("five")), "+12125551214")
        run.erase(one)
        sid = payload[1]["FaxSid"]
        run.erase(run.received_id(sid), sid)
        run.webhook(*payload)
        run.stop()
    finally:
        run.close()
    return run
