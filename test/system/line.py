"""A line of its own for tests: `make run` on free ports, in a folder that goes away."""
import base64
import email
import email.policy
import hashlib
import hmac
import os
import poplib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.parse

import requests

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
import postgresql  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("BUILD", "build")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(what, seconds=30, step=0.1):
    """The first true answer of what(); an error after that many seconds."""
    end = time.monotonic() + seconds
    while True:
        answer = what()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"did not happen in {seconds} s: {what}")
        time.sleep(step)


def database_server():
    """A server of PostgreSQL's with what README.md makes there, and the settings that it names, for this server."""
    server = postgresql.Server()
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        lines = [line.strip() for line in file if line.startswith("    ")]
    statements = [line for line in lines if re.match("(CREATE|REVOKE|GRANT|ALTER) ", line)]
    settings = dict(line.split("=", 1) for line in lines if re.match("(PEOPLE_)?DATABASE_URL=postgresql://", line))
    assert statements and len(settings) == 2
    for statement in statements:
        server.sql(statement)
    return server, {name: url.replace("host=/run/postgresql", "host=" + server.folder) for name, url in settings.items()}


class Line:
    """`database`: "sqlite", or "postgresql" for a server of this line's own (`server`). `before`: words in front of `make`, such as
    `unshare --mount`."""

    def __init__(self, run_dir=None, database="sqlite", before=(), **settings):
        self.before = list(before)
        self.server = None
        if database == "postgresql":
            self.server, urls = database_server()
            settings = {**urls, **settings}
        self.run_dir = run_dir or tempfile.mkdtemp(prefix="faxline-test-")
        self.ports = {name: str(free_port()) for name in ("LAN_PORT", "PUBLIC_PORT", "ACME_PORT", "POP3_PORT")}
        self.settings = {**self.ports, "RUN_PASSWORD": "correct horse battery", "RETRY_SECONDS": "2", **settings}
        self.process = None
        self.ready = {}

    def start(self, seconds=240):
        environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
        environment.update(self.settings, RUN_DIR=self.run_dir, BUILD=BUILD)
        self.log = open(os.path.join(self.run_dir, "make.log"), "ab")
        self.process = subprocess.Popen([*self.before, "make", "--no-print-directory", "run", f"BUILD={BUILD}"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=self.log, start_new_session=True)
        end = time.monotonic() + seconds
        os.set_blocking(self.process.stdout.fileno(), False)
        text = b""
        while True:
            text += self.process.stdout.read() or b""
            found = re.search(rb"^ready (.*)$", text, re.M)
            if found and text.endswith(b"\n"):
                break
            assert self.process.poll() is None and time.monotonic() < end, f"make run did not get ready: {text.decode()}\n{self.tail()}"
            time.sleep(0.05)
        self.text = text.decode()
        self.ready = dict(word.split("=", 1) for word in found[1].decode().split())
        self.lan, self.public, self.acme = self.ready["lan"], self.ready["public"], self.ready["acme"]
        self.ca = os.path.join(self.run_dir, "tls/ca.pem")
        self.conf = dict(line.split("=", 1) for line in open(os.path.join(self.run_dir, "faxline.conf"), encoding="utf-8").read().splitlines() if "=" in line and not line.startswith("#"))
        self.conf.update(self.settings)
        return self

    def tail(self, lines=40):
        with open(os.path.join(self.run_dir, "make.log"), encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-lines:])

    def log_of(self, program):
        with open(os.path.join(self.run_dir, f"log/{program}.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self, signal_number=signal.SIGTERM, seconds=15):
        if self.process and self.process.poll() is None:
            os.kill(self.process.pid, signal_number)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                raise AssertionError("the line did not stop in time") from None
        self.process = None
        self.log.close()

    def close(self):
        try:
            self.stop()
        finally:
            if self.server:
                self.server.close()
            shutil.rmtree(self.run_dir, ignore_errors=True)

    # --- the LAN side ---
    def browser_session(self, username="fax", password="correct horse battery"):
        session = requests.Session()
        session.trust_env = False  # a CA of the machine must not stand in for ours
        session.verify = self.ca
        session.headers["Origin"] = self.lan
        answer = session.post(self.lan + "/api/session", json={"username": username, "password": password})
        assert answer.status_code == 200, answer.text
        return session

    def send(self, session, to, *paths, **headers):
        with_files = [("file", (os.path.basename(path), open(path, "rb"), "application/pdf")) for path in paths]
        return session.post(self.lan + "/api/faxes", data={"to": to}, files=with_files, headers=headers)

    def fax(self, session, fax_id, **query):
        answer = session.get(f"{self.lan}/api/faxes/{fax_id}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def final(self, session, fax_id, seconds=40):
        return wait_until(lambda: (lambda fax: fax if fax["final"] else None)(self.fax(session, fax_id)), seconds)

    def received(self, session, **query):
        answer = session.get(self.lan + "/api/faxes", params={"direction": "inbound", **query})
        assert answer.status_code == 200, answer.text
        return answer.json()["faxes"]

    def command(self, *words, stdin="", check=True):
        done = subprocess.run([os.path.join(self.run_dir, "faxline"), *words], input=stdin, capture_output=True, text=True, timeout=90)
        assert not check or done.returncode == 0, done.stderr + done.stdout
        return done

    # --- the provider's side ---
    def sign(self, url, fields=(), key=None):
        text = url + "".join(name + value for name, value in sorted(fields))
        return base64.b64encode(hmac.new((key or self.conf["TWILIO_TOKEN"]).encode(), text.encode(), hashlib.sha1).digest()).decode()

    def webhook(self, path, fields, signed=True, method="POST", **more):
        url = self.public + path
        headers = more.pop("headers", {})
        if method == "GET":
            url += "?" + urllib.parse.urlencode(fields)
            if signed:
                headers["X-Twilio-Signature"] = self.sign(url)
            return requests.get(url, verify=self.ca, headers=headers, **more)
        if signed:
            headers["X-Twilio-Signature"] = self.sign(url, fields.items())
        return requests.post(url, data=fields, verify=self.ca, headers=headers, **more)

    # --- the mail side ---
    def pop3(self, username="fax", password="correct horse battery"):
        host, port = self.ready["pop3"].rsplit(":", 1)
        context = ssl.create_default_context(cafile=self.ca)
        client = poplib.POP3_SSL(host, int(port), context=context, timeout=20)
        client.user(username)
        client.pass_(password)
        return client

    def mails(self):
        """All mails, by number, as courier hands them out; they stay."""
        client = self.pop3()
        try:
            count = client.stat()[0]
            return [email.message_from_bytes(b"\r\n".join(client.retr(i + 1)[1]) + b"\r\n", policy=email.policy.default) for i in range(count)]
        finally:
            client.quit()

    def mail_of(self, fax_sid, seconds=20):
        return wait_until(lambda: next((mail for mail in self.mails() if mail["X-Fax-Sid"] == fax_sid), None), seconds, 0.5)


def sha256(data):
    return hashlib.sha256(data).hexdigest()
