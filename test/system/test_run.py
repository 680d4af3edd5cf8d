"""`make run`, with stand-ins for the programs: as root and as a user, what it starts, and that nothing of it is left."""
import json
import os
import poplib
import pwd
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import tempfile
import time

import pytest
import requests

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
IS_ROOT = os.getuid() == 0
# As a user, only a user's way can be tried.
MODES = ["root", "user"] if IS_ROOT else ["user"]
NAMES = ["LAN_PORT", "PUBLIC_PORT", "ACME_PORT", "POP3_PORT"]


def free_ports():
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in NAMES]
    found = {name: str(one.getsockname()[1]) for name, one in zip(NAMES, sockets)}
    for one in sockets:
        one.close()
    return found


def within(seconds, question):
    end = time.monotonic() + seconds
    while not question():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", int(port)), 1).close()
        return True
    except OSError:
        return False


def processes_in(namespace):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                if os.readlink(f"/proc/{pid}/ns/pid") == namespace and file.read().rsplit(")", 1)[1].split()[0] != "Z":
                    found.append(int(pid))
        except OSError:
            pass
    return found


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


class Line:
    """One `make run`."""

    def __init__(self, place, run_dir, wrap=(), **settings):
        self.place, self.run_dir = place, run_dir
        self.ports = free_ports()
        # What ran these tests in the background may have its signals ignored, which is passed on.
        words = ["env", "--default-signal=INT,HUP", "make", "--no-print-directory", "-C", place.checkout, "-o", "packages-run", "-o", "all", "run", f"BUILD={place.build}"]
        environment = {"PATH": os.environ["PATH"], "HOME": place.folder, "RUN_DIR": run_dir, **self.ports, **settings}
        self.errors = open(f"{place.folder}/errors.{time.monotonic_ns()}", "w+", encoding="utf-8")  # pylint: disable=consider-using-with
        self.process = subprocess.Popen(
            [*wrap, *place.as_user, *words], env=environment, stdout=subprocess.PIPE, stderr=self.errors, text=True, start_new_session=True
        )  # pylint: disable=consider-using-with
        self.ports |= {name: settings[name] for name in NAMES if name in settings}
        self.namespace = None

    def said(self):
        self.errors.seek(0)
        return self.errors.read()

    def ready(self):
        line = self.process.stdout.readline()
        assert line.startswith("ready "), line + self.said()
        self.outer = next(pid for pid in self.tree(self.process.pid) if "bin/line" in self.words(pid))
        self.inner = children_of(self.outer)[0]
        self.namespace = os.readlink(f"/proc/{self.outer}/ns/pid_for_children") if os.access(f"/proc/{self.outer}/ns", os.R_OK) else None
        self.urls = dict(word.split("=", 1) for word in line.split()[1:])
        return self

    def tree(self, pid):
        yield pid
        for child in children_of(pid):
            yield from self.tree(child)

    @staticmethod
    def words(pid):
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            return file.read()

    def gone(self):
        """Within ten seconds, all of it."""
        assert within(10, lambda: not any(listens(port) for port in self.ports.values())), self.said()
        assert within(10, lambda: not processes_in(self.namespace)), processes_in(self.namespace)
        self.process.wait(10)
        self.process.stdout.close()
        self.errors.close()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.gone()

    def refused(self):
        """Exit status and sentence of one that does not start."""
        assert self.process.stdout.read() == ""
        self.process.wait(20)
        self.process.stdout.close()
        return self.said()

    def command(self, *words, **more):
        return subprocess.run([*self.place.as_user, f"{self.run_dir}/faxline", *words], capture_output=True, text=True, check=False, timeout=20, cwd=self.place.folder, **more)

    def login(self):
        with open(f"{self.run_dir}/login.txt", encoding="utf-8") as file:
            return dict(line.strip().split(": ", 1) for line in file)

    def conf(self):
        with open(f"{self.run_dir}/faxline.conf", encoding="utf-8") as file:
            return dict(line.strip().split("=", 1) for line in file if not line.startswith("#"))

    def get(self, listener, path):
        return requests.get(self.urls[listener] + path, verify=f"{self.run_dir}/tls/ca.pem", timeout=10)

    def mailbox(self):
        host, port = self.urls["pop3"].split(":")
        context = ssl.create_default_context(cafile=f"{self.run_dir}/tls/ca.pem")
        connection = poplib.POP3_SSL(host, int(port), timeout=10, context=context)
        login = self.login()
        connection.user(login["user"])
        connection.pass_(login["password"])
        return connection


class Place:
    """A checkout with what `make run` needs of it, a build of stand-ins, and the account that starts it."""

    def __init__(self, mode, account):
        self.mode, self.lines = mode, []
        self.folder = tempfile.mkdtemp(prefix="faxline-")  # 0700: as root, nobody else may enter it
        self.checkout, self.build = f"{self.folder}/checkout", f"{self.folder}/build"
        for name in ["bin", "nginx", "html"]:
            shutil.copytree(f"{ROOT}/{name}", f"{self.checkout}/{name}", ignore=shutil.ignore_patterns("*.cc"))
        for name in ["Makefile", "lib/config/table.cc"]:
            os.makedirs(os.path.dirname(f"{self.checkout}/{name}"), exist_ok=True)
            shutil.copy(f"{ROOT}/{name}", f"{self.checkout}/{name}")
        for kind, names in {"cgi-bin": ["session", "send", "status", "inbox", "inbound", "media", "sandbox"], "bin": ["faxline", "faxline-queue", "faxline-deliver"]}.items():
            os.makedirs(f"{self.build}/{kind}")
            for name in names:
                shutil.copy(f"{HERE}/stand_in", f"{self.build}/{kind}/{name}")
        self.as_user = ["setpriv", f"--reuid={account}", f"--regid={account}", "--init-groups"] if IS_ROOT and mode == "user" else []
        self.uid = pwd.getpwnam(account).pw_uid if IS_ROOT else os.getuid()
        if self.as_user:
            subprocess.run(["chown", "-R", f"{account}:", self.folder], check=True)

    def line(self, run_dir=None, **more):
        line = Line(self, run_dir or f"{self.folder}/run", **more)
        self.lines.append(line)
        return line

    def remove(self):
        for line in self.lines:
            if line.process.poll() is None:
                line.process.kill()
                line.process.wait()
        shutil.rmtree(self.folder)


@pytest.fixture(name="account", scope="session")
def account_fixture():
    """A user with a range of subordinate ids, as useradd makes one."""
    if not IS_ROOT:
        yield pwd.getpwuid(os.getuid()).pw_name
        return
    name = f"faxline-t{os.getpid()}"
    subprocess.run(["useradd", "--create-home", name], check=True)
    try:
        yield name
    finally:
        subprocess.run(["userdel", "--remove", name], check=False, capture_output=True)


@pytest.fixture(name="place", params=MODES)
def place_fixture(request, account):
    place = Place(request.param, account)
    try:
        yield place
    finally:
        place.remove()


@pytest.fixture(name="home")
def home_fixture(account):
    """A place in the first mode alone, where the account makes no difference."""
    place = Place(MODES[0], account)
    try:
        yield place
    finally:
        place.remove()


def test_all_of_it_answers_and_ends(place):
    line = place.line().ready()
    assert line.urls["lan"] == f"https://localhost:{line.ports['LAN_PORT']}"
    assert line.urls["public"] == f"https://localhost:{line.ports['PUBLIC_PORT']}"
    assert line.urls["acme"] == f"http://localhost:{line.ports['ACME_PORT']}"
    assert line.urls["pop3"] == f"localhost:{line.ports['POP3_PORT']}"
    assert "Faxline" in line.get("lan", "/").text
    assert line.get("lan", "/api/ping").json()["program"] == "status"
    assert line.get("public", "/fax/initialize").json()["program"] == "inbound"
    assert line.get("public", "/").status_code == 404
    assert line.get("sandbox", "/v1/Faxes").json()["program"] == "sandbox"
    assert line.get("acme", "/").status_code == 404
    for host in ["127.0.0.1"] + (["[::1]"] if os.path.exists("/proc/net/if_inet6") else []):
        assert requests.get(f"https://{host}:{line.ports['LAN_PORT']}/", verify=f"{line.run_dir}/tls/ca.pem", timeout=10).ok

    login, conf = line.login(), line.conf()
    assert login["user"] == "fax" and len(login["password"]) >= 12
    for name in ["login.txt", "faxline.conf", "line.json", "tls/server.key", "tls/ca.key"]:
        assert stat.S_IMODE(os.stat(f"{line.run_dir}/{name}").st_mode) == 0o600, name
    assert re.fullmatch("AC[0-9a-f]{32}", conf["TWILIO_SID"]) and len(conf["TWILIO_TOKEN"]) >= 32
    with open(f"{line.run_dir}/state/users", encoding="utf-8") as file:
        assert json.load(file) == {"fax": login["password"]}

    maildir = f"{line.run_dir}/mail/Maildir"
    with open(f"{maildir}/new/1.example", "w", encoding="ascii") as file:
        file.write("Subject: a fax\n\nHello\n")
    if IS_ROOT:
        os.chown(f"{maildir}/new/1.example", os.stat(maildir).st_uid, -1)
    mailbox = line.mailbox()
    assert b"Subject: a fax" in mailbox.retr(1)[1]
    mailbox.quit()

    given = json.loads(line.command("environment").stdout)
    expected = pwd.getpwnam("faxline-run").pw_uid if place.mode == "root" else place.uid
    assert given["uid"] == expected
    assert given["TWILIO_SID"] == conf["TWILIO_SID"] and given["PUBLIC_URL"] == line.urls["public"]
    assert "RUN_PASSWORD" not in given and "RUN_USER" not in given
    if IS_ROOT:
        for pid in processes_in(line.namespace):
            if "/cgi-bin/" in line.words(pid) or line.words(pid).startswith("nginx"):
                assert os.stat(f"/proc/{pid}").st_uid == expected, line.words(pid)

    sentence = place.line(**line.ports).refused()
    assert "runs on" in sentence and line.run_dir in sentence
    line.stop()
    for folder, _, files in os.walk(line.run_dir):
        for path in [folder, *(f"{folder}/{name}" for name in files)]:
            assert os.lstat(path).st_uid == expected, path


def test_a_kill_leaves_nothing_and_the_next_goes_on(place):
    first = place.line().ready()
    before = first.login(), first.conf(), first.urls["sandbox"], open(f"{first.run_dir}/tls/server.pem", encoding="ascii").read()
    first.process.kill()  # make alone
    first.gone()
    second = place.line().ready()
    for pid in [second.process.pid, second.outer]:
        os.kill(pid, signal.SIGKILL)
    second.gone()
    third = place.line().ready()
    assert (third.login(), third.conf(), third.urls["sandbox"], open(f"{third.run_dir}/tls/server.pem", encoding="ascii").read()) == before
    assert third.get("lan", "/api/ping").ok
    os.killpg(third.process.pid, signal.SIGINT)  # as Ctrl-C does
    third.gone()
    fourth = place.line().ready()
    fourth.process.send_signal(signal.SIGINT)  # make alone, which does not pass it on
    fourth.gone()


def test_a_program_that_dies_is_started_again(home):
    line = home.line().ready()
    victims = [pid for pid in processes_in(line.namespace) if line.words(pid).rstrip("\0").endswith(("/cgi-bin/status", "/bin/faxline-queue")) or line.words(pid).startswith("nginx: master")]
    assert len(victims) == 3
    for pid in victims:
        os.kill(pid, signal.SIGKILL)

    def answers():
        try:
            return line.get("lan", "/api/ping").ok
        except requests.RequestException:
            return False

    assert within(10, answers)

    def queues():
        return [line.words(pid) for pid in processes_in(line.namespace) if "/bin/faxline-queue" in line.words(pid)]

    assert within(10, lambda: len(queues()) == 1), f"{queues()}\n{line.said()}"
    assert "status ended with signal 9" in line.said() and "faxline-queue ended with signal 9" in line.said()
    assert "faxline-queue ended with status" not in line.said(), "it stays"
    line.stop()


def test_two_lines_side_by_side_one_at_a_long_path(home):
    deep = home.folder + "/a folder with spaces" + "/long" * 40 + "/run"
    one, two = home.line().ready(), home.line(deep).ready()
    assert one.get("lan", "/api/ping").ok and two.get("lan", "/api/ping").ok
    assert one.login()["password"] != two.login()["password"]
    one.mailbox().quit()
    two.mailbox().quit()
    assert json.loads(two.command("environment").stdout)["TWILIO_SID"] == two.conf()["TWILIO_SID"]
    one.stop()
    assert two.get("lan", "/api/ping").ok
    two.mailbox().quit()
    two.stop()


def test_settings_given_again(home):
    first = home.line(PUBLIC_HOSTNAME="fax.example.org", RUN_PASSWORD="first secret").ready()
    authority = open(f"{first.run_dir}/tls/ca.pem", encoding="ascii").read()
    assert first.login()["password"] == "first secret"
    assert json.loads(first.command("environment").stdout)["PUBLIC_URL"] == f"https://fax.example.org:{first.ports['PUBLIC_PORT']}"
    first.stop()

    maildir = f"{home.folder}/elsewhere/Maildir"
    os.makedirs(maildir, 0o700)
    second = home.line(RUN_PASSWORD="second", RUN_USER="anna", MAILDIR_ROOT_DIR=maildir, FAX_PROVIDER="twilio").ready()
    assert second.urls["sandbox"] == "none"
    assert second.login() == {"user": "anna", "password": "second"}
    with open(f"{second.run_dir}/state/users", encoding="utf-8") as file:
        assert json.load(file) == {"fax": "first secret", "anna": "second"}
    assert open(f"{second.run_dir}/tls/ca.pem", encoding="ascii").read() == authority
    names = subprocess.run(["openssl", "x509", "-noout", "-ext", "subjectAltName", "-in", f"{second.run_dir}/tls/server.pem"], capture_output=True, text=True, check=True).stdout
    assert "localhost" in names and "fax.example.org" not in names
    assert second.mailbox().stat() == (0, 0)
    second.stop()


@pytest.mark.parametrize("name", ["LAN_PORT", "POP3_PORT"])
def test_a_port_in_use_is_named(home, name):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        sentence = home.line(**{name: port}).refused()
    assert f"port {port} is in use" in sentence and name in sentence


def test_what_cannot_start_says_why(home):
    assert "LAN_PORT must be" in home.line(LAN_PORT="many").refused()
    assert "LAN_PORT and SANDBOX_PORT are both" in home.line(LAN_PORT="4711", SANDBOX_PORT="4711").refused()
    assert "is not an address of this machine" in home.line(LAN_LISTEN="192.0.2.1").refused()
    with open(f"{home.folder}/run/faxline.conf", "a", encoding="utf-8") as file:
        file.write("PUBLIC_HOSTNAME=broken\n")
    assert "PUBLIC_HOSTNAME is broken: mend it." in home.line().refused()
    os.remove(f"{home.build}/cgi-bin/inbox")
    assert "cgi-bin/inbox not found" in home.line(f"{home.folder}/other").refused()


if IS_ROOT:  # what takes a right away, or becomes another account

    def test_without_namespaces_one_sentence(home):
        bare = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"]
        assert "needs namespaces" in home.line(wrap=bare).refused()
        name = f"faxline-n{os.getpid()}"
        subprocess.run(["useradd", "--system", "--user-group", name], check=True)
        try:
            lonely = Place("user", name)
            try:
                assert "usermod --add-subuids" in lonely.line().refused()
            finally:
                lonely.remove()
        finally:
            subprocess.run(["userdel", name], check=False)

    def test_as_root_it_runs_as_the_owner_of_the_checkout(home, account):
        uid = pwd.getpwnam(account).pw_uid
        subprocess.run(["chown", "-R", f"{account}:", home.checkout], check=True)
        line = home.line().ready()
        assert json.loads(line.command("environment").stdout)["uid"] == uid
        letter = f"{home.folder}/letter"
        with open(os.open(letter, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write("for root's eyes")
        assert line.command("send", "letter").stdout == "for root's eyes\n"
        line.mailbox().quit()
        line.stop()
