"""A line that is up in a moment, and can be killed as by a power cut: nginx and the programs of the fail build, without
`make`, namespaces and courier. A provider of the tests' own is on the other side (ledger_provider.py)."""
import contextlib
import itertools
import mailbox
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time

import requests

from line import BUILD, ROOT, postgresql, wait_until

BUILT = os.path.realpath(os.path.join(ROOT, BUILD))
FASTCGI = ("session", "status", "send", "inbox", "inbound", "media")
DAEMONS = ("faxline-deliver", "faxline-queue")
# Enough to read the book, with nothing that changes it.
READERS = ("session", "status", "nginx")
ALL = ("faxline-deliver", "faxline-queue", *FASTCGI, "nginx")
NUMBER = "+15005550006"


class Ports:
    """Ports that stay free while a line is down: below those that outgoing connections get, and never given twice."""

    lock, next = threading.Lock(), random.randrange(20000, 30000)

    @classmethod
    def take(cls):
        with cls.lock:
            while True:
                cls.next = cls.next + 1 if cls.next < 32000 else 20000
                with socket.socket() as probe:
                    try:
                        probe.bind(("127.0.0.1", cls.next))
                        return str(cls.next)
                    except OSError:
                        pass


def certificate(folder):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{folder}/tls.key", "-out", f"{folder}/tls.pem"]
        + ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True,
        capture_output=True,
    )


def program(name):
    """Of the fail build, where it has points."""
    folder = "bin" if name in DAEMONS or name == "faxline" else "cgi-bin"
    path = f"{BUILT}/fail/{folder}/{name}"
    return path if os.path.exists(path) else f"{BUILT}/{folder}/{name}"


class Databases:
    """One server of PostgreSQL's for many lines. Each has two databases there, and for each of the two a role of its own."""

    SECRET = "a-secret-of-the-tests"

    def __init__(self):
        self.server, self.numbers = postgresql.Server(), itertools.count(1)

    def settings(self):
        """For a line that is new: where its faxes are kept, and where its users."""
        number, found = next(self.numbers), {}
        for setting, name in (("DATABASE_URL", f"faxes_{number}"), ("PEOPLE_DATABASE_URL", f"people_{number}")):
            for statement in ("CREATE ROLE {0} LOGIN PASSWORD '{1}'", "CREATE DATABASE {0} OWNER {0}", "REVOKE ALL ON DATABASE {0} FROM public"):
                self.server.sql(statement.format(name, self.SECRET))
            found[setting] = self.server.url_of(name, self.SECRET, name)
        return found

    def close(self):
        self.server.close()


class ShortLine:
    """On SQLite in the line's own folder, unless `databases` says where else."""

    def __init__(self, provider, databases=None, **settings):
        self.folder = tempfile.mkdtemp(prefix="faxline-short-")
        self.provider = provider
        self.children = {}
        for name in ("socket", "log", "temporary", "points", *(f"state/{part}" for part in ("acme", "handout", "spool", "db", "people")), *(f"Maildir/{part}" for part in ("tmp", "new", "cur"))):
            os.makedirs(f"{self.folder}/{name}")
        certificate(self.folder)
        self.ca = f"{self.folder}/tls.pem"
        ports = {name: Ports.take() for name in ("LAN_PORT", "PUBLIC_PORT", "ACME_PORT")}
        self.lan, self.public = f"https://localhost:{ports['LAN_PORT']}", f"https://localhost:{ports['PUBLIC_PORT']}"
        self.token = "a token of this line"
        open(f"{self.folder}/faxline.conf", "w", encoding="utf-8").close()
        self.settings = {
            **ports, "FAX_PROVIDER": "twilio", "PROVIDER_URL": provider.url, "TWILIO_SID": "AC" + "0" * 32, "TWILIO_TOKEN": self.token, "TWILIO_FAX_NUMBER": NUMBER,
            "PUBLIC_HOSTNAME": "localhost", "PUBLIC_URL": self.public, "STATE_DIR": f"{self.folder}/state", "SOCKET_DIR": f"{self.folder}/socket",
            "MAILDIR_ROOT_DIR": f"{self.folder}/Maildir", "FAXLINE_CONF": f"{self.folder}/faxline.conf", "RETRY_SECONDS": "1", **settings,
        }  # fmt: skip
        self.settings |= databases.settings() if databases else {"DATABASE_URL": f"sqlite://{self.folder}/state/db/faxline.db"}
        self.environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8", "HOME": f"{self.folder}/temporary", "FAXLINE_FAIL_POINT_FOLDER": f"{self.folder}/points", **self.settings}
        self.render(ports)
        provider.serves(self)
        self.command("user", "add", "anna", "--admin", stdin="correct horse battery\n")
        self.client = requests.Session()
        self.client.trust_env = False
        self.client.verify = self.ca
        self.client.headers["Authorization"] = "Bearer " + self.command("key", "add", "anna").strip()

    def render(self, ports):
        values = {**ports, "LAN_LISTEN": "127.0.0.1", "PUBLIC_LISTEN": "127.0.0.1", "FAX_PROVIDER": "twilio", "SOCKET_DIR": f"{self.folder}/socket", "STATE_DIR": f"{self.folder}/state"}
        values |= {"HTML_DIR": f"{ROOT}/html", "LOG_DIR": f"{self.folder}/log", "RUN_TEMPORARY": f"{self.folder}/temporary"}
        values |= {f"{name}_CERTIFICATE": self.ca for name in ("LAN", "PUBLIC")} | {f"{name}_KEY": f"{self.folder}/tls.key" for name in ("LAN", "PUBLIC")}
        subprocess.run([f"{ROOT}/nginx/render", f"{self.folder}/nginx", *(f"{name}={value}" for name, value in values.items())], check=True)

    def run_command(self, *words, stdin=""):
        return subprocess.run([program("faxline"), *words], env=self.environment, input=stdin, capture_output=True, text=True, timeout=60, check=False)

    def command(self, *words, stdin="", check=True):
        done = self.run_command(*words, stdin=stdin)
        assert not check or done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    # --- starting and killing ---
    def words(self, name):
        if name == "nginx":
            return ["nginx", "-p", self.folder, "-c", f"{self.folder}/nginx/nginx.conf", "-e", f"{self.folder}/log/error.log", *(["-g", "user root;"] if os.getuid() == 0 else [])]
        if name in DAEMONS:
            return [program(name)]
        return ["spawn-fcgi", "-n", "-s", f"{self.folder}/socket/{name}.sock", "-M", "0600", "--", program(name)]

    def start(self, names=ALL, ready=True, **settings):
        """Those that are not up; `settings` are for these alone, this time."""
        for name in names:
            if name in self.children:
                continue
            socket_path = f"{self.folder}/socket/{ {'faxline-queue': 'wake', 'faxline-deliver': 'deliver'}.get(name, name)}.sock"
            if os.path.exists(socket_path):
                os.remove(socket_path)
            with open(f"{self.folder}/log/{name}.log", "ab") as log:
                # They die with the thread that started them: nothing outlives the tests.
                self.children[name] = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *self.words(name)], env=self.environment | settings, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
            if name == "faxline-deliver":
                wait_until(lambda: self.answers("faxline-deliver"))  # else the first mail waits for its second try
        if ready:
            wait_until(lambda: all(self.answers(name) for name in names), 30, 0.01)
        return self

    def answers(self, name):
        assert self.children[name].poll() is None, f"{name} ended: {self.log(name)}"
        if name == "faxline-deliver":
            return os.path.exists(f"{self.folder}/socket/deliver.sock")
        path, kind = ("wake", socket.SOCK_DGRAM) if name == "faxline-queue" else (name, socket.SOCK_STREAM)
        try:
            if name == "nginx":
                socket.create_connection(("127.0.0.1", int(self.settings["LAN_PORT"]))).close()
                return True
            with socket.socket(socket.AF_UNIX, kind) as one:
                one.connect(f"{self.folder}/socket/{path}.sock")
            return True
        except OSError:
            return False

    def kill(self, names=ALL):
        """At once, as a power cut does; nginx with its workers."""
        killed = [self.children.pop(name) for name in names if name in self.children]
        for child in killed:
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for child in killed:
            child.wait(10)

    def log(self, name, lines=25):
        try:
            with open(f"{self.folder}/log/{name}.log", encoding="utf-8", errors="replace") as file:
                return "".join(file.readlines()[-lines:])
        except FileNotFoundError:
            return ""

    def close(self):
        self.kill()
        self.client.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- fail points ---
    def arm(self, point, passes=1, alone=False):
        """Whoever passes it dies there, and unless `alone` all that is up now of the line with it."""
        with open(f"{self.folder}/points/groups", "w", encoding="utf-8") as groups:
            groups.writelines(f"{child.pid}\n" for child in self.children.values() if not alone)
        open(f"{self.folder}/points/{point}{'' if passes == 1 else f'.{passes}'}", "w", encoding="utf-8").close()

    def disarm(self):
        for name in os.listdir(f"{self.folder}/points"):
            os.remove(f"{self.folder}/points/{name}")

    def fired(self, point):
        return os.path.exists(f"{self.folder}/points/{point}.fired")

    # --- as a client ---
    def ask(self, method, path, **more):
        """The answer; None where the line did not give one, as while it is down."""
        try:
            answer = self.client.request(method, self.lan + path, timeout=10, **more)
        except requests.RequestException:
            return None
        return None if answer.status_code in (502, 503, 504) else answer

    def insist(self, method, path, seconds=30, **more):
        """Until there is an answer, whatever it says."""
        return wait_until(lambda: [answer] if (answer := self.ask(method, path, **more)) is not None else None, seconds)[0]

    def send(self, number, content, until):
        """A fax; its id, once it is so far."""
        answer = self.insist("POST", "/api/faxes", data={"to": number}, files=[("file", ("a.pdf", content, "application/pdf"))])
        assert answer.status_code == 202, answer.text
        try:
            wait_until(lambda: self.fax(answer.json()["id"])["status"] == until, 30)
        except AssertionError as error:
            raise AssertionError(f"not {until}: {self.fax(answer.json()['id'])}") from error
        return answer.json()["id"]

    def faxes(self, number):
        """All faxes to or from a number, newest first."""
        answer = self.insist("GET", "/api/faxes", params={"q": number.lstrip("+")})
        assert answer.status_code == 200, answer.text
        return answer.json()["faxes"]

    def fax(self, fax_id):
        answer = self.insist("GET", f"/api/faxes/{fax_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    # --- what is on the disk ---
    def mails(self, fax_sid):
        found = [message for message in mailbox.Maildir(f"{self.folder}/Maildir", create=False) if message["X-Fax-Sid"] == fax_sid]
        return [message for message in found if message["X-Faxline"]]

    def notices(self):
        """Mails that tell of something else than a document."""
        return [message for message in mailbox.Maildir(f"{self.folder}/Maildir", create=False) if message["X-Faxline"] == "notice"]

    def files(self, folder):
        path = f"{self.folder}/{folder}"
        return sorted(name for name in os.listdir(path) if os.path.isfile(f"{path}/{name}"))

    def age(self, folder, hours):
        past = time.time() - hours * 3600
        for name in self.files(folder):
            os.utime(f"{self.folder}/{folder}/{name}", (past, past))

    def untold(self):
        """How many notices are still on their way."""
        return int(self.sql("SELECT (SELECT count(*) FROM notices WHERE shared = 0) + (SELECT count(*) FROM errands WHERE next_at_ms IS NOT NULL)"))

    def sql(self, statement):
        """What the book answers, a line a row. It may be changed as no program would: to make things older than they are."""
        url = self.settings["DATABASE_URL"]
        if not url.startswith("sqlite://"):
            return subprocess.run([f"{postgresql.binaries()}/psql", "-XqtA", "-v", "ON_ERROR_STOP=1", url, "-c", statement], check=True, capture_output=True, text=True).stdout.strip()
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite://"), timeout=20)) as book, book:
            return "\n".join("|".join(map(str, row)) for row in book.execute(statement))
