"""Two whole machines behind one address, on one database and one document folder; each is killed while faxes go and come.

Started by test_two_machines.py in a network and a mount namespace of its own. Ends with 0, or says what was lost.

    10.77.0.1  the outside: the provider, and the balancer that passes connections on to the machine that answers
    10.77.1.2  one machine         10.77.2.2  the other         PostgreSQL on a Unix socket; spool, hand-out and Maildir shared
"""
import datetime
import itertools
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ElementTree

import requests

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import documents as document_maker  # noqa: E402
import fake_provider  # noqa: E402
import postgresql  # noqa: E402
import harm  # noqa: E402
from line import Line, wait_until  # noqa: E402

ADDRESS, NAME, PROVIDER = "10.77.0.1", "fax.line.test", "fax.provider.test"
NUMBER = "+15005550006"


def sh(*words):
    subprocess.run(words, check=True)


class Machine:
    """A network of its own, with a line in it."""

    def __init__(self, number, folder, shared, settings):
        self.address = f"10.77.{number}.2"
        self.keeper = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        wait_until(lambda: os.readlink(f"/proc/{self.keeper.pid}/ns/net") != os.readlink("/proc/self/ns/net"), 10)
        inside = ["nsenter", "-t", str(self.keeper.pid), "-n", "--"]
        sh("ip", "link", "add", f"to{number}", "type", "veth", "peer", "name", "eth0", "netns", str(self.keeper.pid))
        sh("ip", "address", "add", f"10.77.{number}.1/24", "dev", f"to{number}")
        sh("ip", "link", "set", f"to{number}", "up")
        for words in (("address", "add", f"{self.address}/24", "dev", "eth0"), ("link", "set", "eth0", "up"), ("link", "set", "lo", "up"), ("route", "add", "default", "via", f"10.77.{number}.1")):
            sh(*inside, "ip", *words)
        state = os.path.join(folder, "state")
        for name in ("spool", "handout"):
            os.makedirs(os.path.join(state, name))
            sh("mount", "--bind", os.path.join(shared, name), os.path.join(state, name))
        self.line = Line(run_dir=folder, before=inside, STATE_DIR=state, LAN_LISTEN=self.address, PUBLIC_LISTEN=self.address, **settings)

    def network(self):
        return os.readlink(f"/proc/{self.keeper.pid}/ns/net")

    def cut(self):
        """All of it at once, as when the power goes."""
        mine = self.network()
        while True:
            found = []
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    if int(pid) != self.keeper.pid and os.readlink(f"/proc/{pid}/ns/net") == mine:
                        found.append(int(pid))
                except OSError:
                    pass
            if not found:
                break
            for pid in found:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.02)
        self.line.process.wait(20)
        self.line.process = None

    def close(self):
        if self.line.process:
            self.line.stop()
        self.keeper.kill()
        self.keeper.wait()


class Balancer:
    """Passes each connection on to the next machine that takes it."""

    def __init__(self, port, targets):
        self.turn, self.targets, self.taken = itertools.count(), targets, [0] * len(targets)
        self.listener = socket.create_server((ADDRESS, port), backlog=64)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            ours, _ = self.listener.accept()
            threading.Thread(target=self.join, args=(ours,), daemon=True).start()

    def join(self, ours):
        first = next(self.turn)
        for i in range(len(self.targets)):
            which = (first + i) % len(self.targets)
            try:
                theirs = socket.create_connection(self.targets[which], timeout=2)
            except OSError:
                continue
            self.taken[which] += 1
            theirs.settimeout(None)
            back = threading.Thread(target=self.pass_on, args=(theirs, ours), daemon=True)
            back.start()
            self.pass_on(ours, theirs)
            back.join()
            theirs.close()
            break
        ours.close()

    @staticmethod
    def pass_on(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            for end in (source, target):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


class Provider(fake_provider.Provider):
    """Fetches what it is called for and sends it, once a call; keeps a ledger of what it sent."""

    def __init__(self, certificate):
        super().__init__(PROVIDER, certificate, ADDRESS)
        self.sent, self.lock = [], threading.Lock()

    def called(self, sid, fields):
        threading.Thread(target=self.send, args=(sid, fields), daemon=True).start()

    def send(self, sid, fields):
        time.sleep(0.3)
        fax = self.faxes[sid]
        fax["status"] = "processing"
        for _ in range(20):
            try:
                answer = requests.get(fields["MediaUrl"], verify=self.ca, timeout=10)
            except requests.RequestException:
                time.sleep(0.5)
                continue
            if answer.status_code == 404:
                fax["status"] = "failed"
                return
            if answer.status_code == 200:
                break
            time.sleep(0.5)
        else:
            fax["status"] = "failed"
            return
        with self.lock:
            self.sent.append((fields["To"], len(answer.content)))
        fax.update(status="delivered", num_pages=1)
        try:
            requests.post(fields["StatusCallback"], data={"FaxSid": sid, "FaxStatus": "delivered", "From": fields["From"], "To": fields["To"]}, verify=self.ca, timeout=10)
        except requests.RequestException:
            pass  # told once: the line has to find out

    def fax_arrives(self, line, document, number):
        """As the provider does it: a first webhook, then the payload with a MediaUrl. What it keeps it keeps."""
        sid = self.receive(f"+1212555{number:04d}", document, datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"))
        fields = {"FaxSid": sid, "AccountSid": line.conf["TWILIO_SID"], "From": self.faxes[sid]["from"], "To": NUMBER}
        url = f"https://{NAME}:{line.settings['PUBLIC_PORT']}/fax/initialize"
        try:
            first = requests.post(url, data=fields, headers={"X-Twilio-Signature": line.sign(url, fields.items())}, verify=self.ca, timeout=10)
            action = ElementTree.fromstring(first.text).find("Receive").get("action")
            requests.post(action, data={**fields, "Status": "received", "NumPages": "1", "MediaUrl": self.faxes[sid]["media_url"], "MediaSid": "ME" + sid[2:]}, verify=self.ca, timeout=10)
        except (requests.RequestException, ElementTree.ParseError, AttributeError):
            pass  # not told again: the line has to find out
        return sid


class Client:
    """Sends faxes through the one address, and asks again with the same Idempotency-Key until it has an answer."""

    def __init__(self, port, ca):
        self.url, self.ca, self.accepted = f"https://{NAME}:{port}", ca, {}
        self.session = None
        self.log_in()

    def log_in(self):
        session = requests.Session()
        session.trust_env, session.verify = False, self.ca
        session.headers["Origin"] = self.url
        answer = session.post(self.url + "/api/session", json={"username": "fax", "password": "correct horse battery"}, timeout=10)
        assert answer.status_code == 200, answer.text
        self.session = session

    def ask(self, method, path, **more):
        end = time.monotonic() + 60
        while True:
            try:
                answer = self.session.request(method, self.url + path, timeout=15, **more)
                if answer.status_code < 500:
                    assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
                    return answer.json()
            except requests.RequestException:
                pass
            assert time.monotonic() < end, f"no answer to {method} {path} for a minute"
            time.sleep(0.3)

    def send(self, to, document):
        key = {"Idempotency-Key": secrets.token_hex(8)}
        self.accepted[to] = self.ask("POST", "/api/faxes", data={"to": to}, files=[("file", ("letter.pdf", document, "application/pdf"))], headers=key)["id"]

    def all(self, direction):
        found, before = [], None
        while True:
            page = self.ask("GET", "/api/faxes", params={"direction": direction, "limit": 200, **({"before": before} if before else {})})
            found += page["faxes"]
            before = page["next"]
            if not before:
                return found


def mails(maildir):
    found = []
    for folder in ("new", "cur"):
        for name in os.listdir(os.path.join(maildir, folder)):
            with open(os.path.join(maildir, folder, name), "rb") as file:
                head = file.read(8192).split(b"\n\n")[0].split(b"\r\n\r\n")[0].decode(errors="replace")
            if "X-Faxline: received" in head:
                found.append(next(line.split(":", 1)[1].strip() for line in head.splitlines() if line.startswith("X-Fax-Sid:")))
    return found


def databases(server):
    server.sql("CREATE ROLE faxline LOGIN PASSWORD 'one'; CREATE ROLE people LOGIN PASSWORD 'two';")
    server.sql("CREATE DATABASE faxline OWNER faxline")
    server.sql("CREATE DATABASE people OWNER people")
    return {"DATABASE_URL": server.url_of("faxline", "one", "faxline"), "PEOPLE_DATABASE_URL": server.url_of("people", "two", "people")}


def main(folder):
    sh("ip", "link", "set", "lo", "up")
    sh("ip", "address", "add", f"{ADDRESS}/32", "dev", "lo")
    hosts = os.path.join(folder, "hosts")
    with open(hosts, "w", encoding="ascii") as file:
        file.write(f"127.0.0.1 localhost\n{ADDRESS} {NAME} {PROVIDER}\n")
    sh("mount", "--bind", hosts, "/etc/hosts")
    shared = os.path.join(folder, "shared")
    for name in ("spool", "handout", "mail"):
        os.makedirs(os.path.join(shared, name))
        os.chmod(os.path.join(shared, name), 0o777)
    authority, certificate = harm.certificate(folder, PROVIDER)
    os.chmod(authority, 0o644)
    server, provider, machines = postgresql.Server(), Provider(certificate), []
    try:
        settings = {
            **databases(server), "FAX_PROVIDER": "twilio", "PROVIDER_URL": provider.url, "PROVIDER_CA_FILE": authority, "TWILIO_FAX_NUMBER": NUMBER,
            "TWILIO_SID": "AC" + "7" * 32, "TWILIO_TOKEN": "a token of both", "PUBLIC_HOSTNAME": NAME, "PUBLIC_URL": f"https://{NAME}:3297",
            "LAN_PORT": "8443", "PUBLIC_PORT": "3297", "ACME_PORT": "3298", "POP3_PORT": "9995", "MAILDIR_ROOT_DIR": os.path.join(shared, "mail/Maildir"),
            "LEASE_SECONDS": "8", "RECONCILE_SECONDS": "3", "RETRY_SECONDS": "1", "CHECK_SECONDS": "120",
        }
        for number in (1, 2):
            home = os.path.join(folder, f"machine{number}")
            os.makedirs(home)
            machines.append(Machine(number, home, shared, settings))
            machines[-1].line.start()
        ca = os.path.join(folder, "both.pem")
        with open(ca, "w", encoding="ascii") as file:
            for machine in machines:
                with open(machine.line.ca, encoding="ascii") as one:
                    file.write(one.read())
        provider.ca = ca
        line = machines[0].line
        balancers = [Balancer(port, [(machine.address, port) for machine in machines]) for port in (8443, 3297)]
        client = Client(8443, ca)
        with open(document_maker.make(folder)["letter"], "rb") as file:
            document = file.read()
        arrived, stop = [], threading.Event()

        def send_all_the_time():
            for number in itertools.count():
                if stop.is_set():
                    return
                client.send(f"+1312555{number:04d}", document)

        def receive_all_the_time():
            for number in itertools.count():
                if stop.wait(0.4):
                    return
                arrived.append(provider.fax_arrives(line, document, number))

        workers = [threading.Thread(target=send_all_the_time), threading.Thread(target=receive_all_the_time)]
        for worker in workers:
            worker.start()
        for machine in (machines[1], machines[0]):
            time.sleep(3)
            machine.cut()
            time.sleep(4)
            machine.line.start()
        time.sleep(2)
        stop.set()
        for worker in workers:
            worker.join(90)
            assert not worker.is_alive()
        return judge(client, provider, arrived, settings["MAILDIR_ROOT_DIR"], balancers)
    finally:
        for machine in machines:
            machine.close()
        provider.close()
        server.close()


def judge(client, provider, arrived, maildir, balancers):
    wait_until(lambda: all(fax["final"] for fax in client.all("outbound")), 150, 1)
    wait_until(lambda: set(arrived) <= {fax["provider_id"] for fax in client.all("inbound") if fax["status"] == "received"}, 120, 1)
    wait_until(lambda: set(arrived) <= set(mails(maildir)), 60, 1)
    sent = {fax["to"]: fax for fax in client.all("outbound")}
    wrong = [f"lost: {to} ({ident}) is not in the list" for to, ident in client.accepted.items() if to not in sent]
    for to, fax in sent.items():
        times = sum(one == to for one, _ in provider.sent)
        if fax["status"] != "delivered" or times != 1:
            wrong.append(f"sent {times} times, {fax['status']}: {to} {client.ask('GET', '/api/faxes/' + fax['id'])}")
    received = [fax["provider_id"] for fax in client.all("inbound")]
    wrong += [f"listed {received.count(sid)} times: {sid}" for sid in arrived if received.count(sid) != 1]
    wrong += [f"mailed {mails(maildir).count(sid)} times: {sid}" for sid in arrived if mails(maildir).count(sid) != 1]
    if min(balancers[1].taken) == 0 or len(sent) < 10 or len(arrived) < 10:
        wrong.append(f"too little went on to prove anything: {len(sent)} sent, {len(arrived)} received, connections {[one.taken for one in balancers]}")
    print(f"{len(sent)} sent, {len(arrived)} received, connections {[one.taken for one in balancers]}")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="faxline-two-") as temporary:
        os.chmod(temporary, 0o755)
        status = main(temporary)
        subprocess.run("awk '$2 ~ \"^" + temporary + "\" {print $2}' /proc/mounts | sort -r | xargs -r umount -l", shell=True, check=False)
    os._exit(status)
