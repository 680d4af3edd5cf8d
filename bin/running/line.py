"""The line itself, as the first process of its namespaces: starts all, says when it is ready, stops all."""
import os
import signal
import socket
import subprocess
import time

from running import house, mailbox, ready
from running.children import Child, Children, say
from running.settings import NOT_FOR_PROGRAMS, ROOT, Stop

FASTCGI = ("session", "send", "status", "inbox", "inbound", "media")
START_SECONDS = 60
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def program_environment(binding, run_dir, settings):
    """What the programs are given: nothing of the caller's but the time zone, and the settings, at their short paths."""
    run = binding.path(run_dir)
    environment = {"PATH": PATH, "HOME": f"{run}/temporary", "LANG": "C.UTF-8"}
    if "TZ" in os.environ:
        environment["TZ"] = os.environ["TZ"]
    environment |= {name: value for name, value in settings.items() if name not in NOT_FOR_PROGRAMS}
    for name in ("STATE_DIR", "MAILDIR_ROOT_DIR", "PROVIDER_CA_FILE"):
        if name in settings:
            environment[name] = binding.path(settings[name])
    if settings["FAX_PROVIDER"] == "sandbox":
        environment.setdefault("PROVIDER_CA_FILE", f"{run}/tls/ca.pem")
    environment["FAXLINE_CONF"] = f"{run}/faxline.conf"
    environment["SOCKET_DIR"] = f"{run}/socket"
    return environment


def host(listen):
    first = listen.replace(",", " ").split()[0] if listen.strip() else "localhost"
    if first in ("localhost", "0.0.0.0", "::", "[::]") or first.startswith("127."):
        return "localhost"
    return f"[{first}]" if ":" in first and not first.startswith("[") else first


def address(listen):
    """Where we ask whether it answers."""
    found = host(listen)
    return "127.0.0.1" if found == "localhost" else found.strip("[]")


class Line:
    """All that runs."""

    def __init__(self, account, binding, build, run_dir, settings, password, password_given):
        self.account, self.binding, self.settings, self.real_run_dir = account, binding, settings, run_dir
        self.password, self.password_given = password, password_given
        self.run_dir, self.build = binding.path(run_dir), binding.path(build)
        self.checkout = binding.path(ROOT)
        self.environment = program_environment(binding, run_dir, settings.values)
        self.fastcgi = FASTCGI + (("sandbox",) if settings.practice else ())
        self.children = None

    def as_programs(self, words, **more):
        return subprocess.run(words, env=self.environment, cwd="/", preexec_fn=self.account.become, check=False, capture_output=True, text=True, timeout=60, **more)

    def faxline(self, *words, **more):
        return self.as_programs([f"{self.build}/bin/faxline", *words], **more)

    def configure_nginx(self):
        settings, tls = self.settings, f"{self.run_dir}/tls"
        values = {name: settings[name] for name in ("LAN_PORT", "PUBLIC_PORT", "ACME_PORT", "SANDBOX_PORT", "LAN_LISTEN", "PUBLIC_LISTEN", "MAX_FAX_BYTES", "FAX_PROVIDER")}
        values |= {f"{name}_CERTIFICATE": f"{tls}/server.pem" for name in ("LAN", "PUBLIC")} | {f"{name}_KEY": f"{tls}/server.key" for name in ("LAN", "PUBLIC")}
        values |= {"SOCKET_DIR": f"{self.run_dir}/socket", "STATE_DIR": self.environment["STATE_DIR"], "HTML_DIR": f"{self.checkout}/html"}
        values |= {"LOG_DIR": f"{self.run_dir}/log", "RUN_TEMPORARY": f"{self.run_dir}/temporary"}
        done = self.as_programs([f"{self.checkout}/nginx/render", f"{self.run_dir}/nginx", *(f"{name}={value}" for name, value in values.items())])
        if done.returncode:
            raise Stop(78, done.stderr.strip() or "nginx's files could not be written.")

    def nginx(self):
        words = ["nginx", "-p", self.run_dir, "-c", f"{self.run_dir}/nginx/nginx.conf", "-e", f"{self.run_dir}/log/error.log"]
        low = any(int(self.settings[name]) < 1024 for name in ("LAN_PORT", "PUBLIC_PORT", "ACME_PORT"))
        if low and not self.account.own_space:  # its master alone stays root, for these ports
            return Child("nginx", [*words, "-g", f"user {self.account.name()};"], self.environment, None)
        return Child("nginx", words, self.environment, self.account)

    def start(self):
        for name in self.fastcgi:
            words = ["spawn-fcgi", "-n", "-s", f"{self.run_dir}/socket/{name}.sock", "-M", "0600", "--", f"{self.build}/cgi-bin/{name}"]
            self.children.add(Child(name, words, self.environment, self.account))
        for name in ("faxline-deliver", "faxline-queue"):
            self.children.add(Child(name, [f"{self.build}/bin/{name}"], self.environment, self.account))
        self.children.add(self.nginx())
        for name, words, environment in mailbox.daemons(self.settings["POP3_PORT"]):
            self.children.add(Child(name, words, {"PATH": PATH, "LANG": "C.UTF-8"} | environment, None))

    def questions(self):
        """name -> a function that is true, or raises nothing but what ready.answers() takes."""
        settings, authority = self.settings, f"{self.run_dir}/tls/ca.pem"
        lan, public = address(settings["LAN_LISTEN"]), address(settings["PUBLIC_LISTEN"])
        found = {name: lambda path=f"{self.run_dir}/socket/{name}.sock": ready.fastcgi(path) for name in self.fastcgi}
        found["the page"] = lambda: ready.https(lan, int(settings["LAN_PORT"]), "/api/ping", authority, 200)
        found["the public listener"] = lambda: ready.https(public, int(settings["PUBLIC_PORT"]), "/", authority, 404)
        found["the challenges' listener"] = lambda: ready.plain(public, int(settings["ACME_PORT"]))
        if settings.practice:
            found["the practice provider"] = lambda: ready.https("127.0.0.1", int(settings["SANDBOX_PORT"]), "/", authority)
        found["faxline-deliver"] = lambda: ready.seqpacket(f"{self.run_dir}/socket/deliver.sock")
        found["faxline-queue"] = lambda: ready.datagram(f"{self.run_dir}/socket/wake.sock")
        found["the POP3 server"] = lambda: ready.pop3(int(settings["POP3_PORT"]), settings["RUN_USER"], self.password, authority)
        return found

    def wait_until_ready(self):
        """True when all answer, False when it was told to stop before."""
        open_questions, end = self.questions(), time.monotonic() + START_SECONDS
        while open_questions:
            if not self.children.turn(0.05):
                return False
            if self.children.wrong_settings:
                raise Stop(78, f"{self.children.wrong_settings} does not start:\n{self.last_lines(self.children.wrong_settings)}")
            for name in list(open_questions):
                if ready.answers(open_questions[name]):
                    del open_questions[name]
            if time.monotonic() > end:
                raise Stop(69, f"this did not answer within {START_SECONDS} s: {', '.join(open_questions)}. See {self.real_run_dir}/log.")
        return True

    def last_lines(self, name):
        with open(f"{self.run_dir}/log/{name}.log", encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-5:]).strip()

    def first_user(self):
        name = self.settings["RUN_USER"]
        done = self.faxline("user", "list", "--json")
        there = f'"{name}"' in done.stdout
        if there and not self.password_given:
            return
        words = ("user", "passwd", name) if there else ("user", "add", name, "--admin")
        done = self.faxline(*words, input=self.password + "\n")
        if done.returncode:
            raise Stop(done.returncode if done.returncode > 0 else 70, f"the user {name} could not be made: {(done.stderr or done.stdout).strip()[-500:]}")

    def announce(self):
        settings = self.settings
        lan = f"https://{host(settings['LAN_LISTEN'])}:{settings['LAN_PORT']}"
        public, acme = (f"{scheme}://{host(settings['PUBLIC_LISTEN'])}:{settings[port]}" for scheme, port in (("https", "PUBLIC_PORT"), ("http", "ACME_PORT")))
        sandbox = f"https://127.0.0.1:{settings['SANDBOX_PORT']}" if settings.practice else "none"
        print(f"ready lan={lan} public={public} acme={acme} pop3=localhost:{settings['POP3_PORT']} sandbox={sandbox}", flush=True)
        text = [
            f"The page is at {lan}",
            f"  user {settings['RUN_USER']}, password {self.password}   (kept in {self.real_run_dir}/login.txt)",
            "  Your browser will warn about the certificate: this machine made it for itself. Go on, or let the browser",
            f"  trust {self.real_run_dir}/tls/ca.pem.",
            f"Received faxes are in the mailbox too: POP3 with TLS at localhost, port {settings['POP3_PORT']}, same user and password.",
        ]
        if settings.practice:
            text += ["This is a PRACTICE LINE: nothing leaves this machine. To make a fax arrive:", f"  {self.real_run_dir}/faxline receive FILE.pdf --from +12125551212"]
        if any(word in settings["LAN_LISTEN"] for word in ("0.0.0.0", "[::]")) or settings["LAN_LISTEN"] == "::":
            text += [f"From your network it is at https://{socket.gethostname()}:{settings['LAN_PORT']}, or at this machine's address."]
        elif host(settings["LAN_LISTEN"]) == "localhost":
            text += ["The page can be seen from this machine alone; LAN_LISTEN=0.0.0.0 make run opens it to your network."]
        for line in [*text, "Ctrl-C stops everything."]:
            say(line)

    def run(self, control):
        """Until CONTROL asks to stop. The exit status."""
        if self.account.own_space:
            os.setresgid(0, 0, 0)
            os.setresuid(0, 0, 0)
        house.libc.prctl(house.PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        house.own_processes()
        house.can_box(self.account)
        mailbox.prepare(self.binding, self.account, f"{self.run_dir}/tls", self.settings["RUN_USER"], self.password, self.environment["MAILDIR_ROOT_DIR"])
        os.umask(0o077)
        checked = self.faxline("config", "check")
        if checked.returncode:
            raise Stop(checked.returncode if checked.returncode > 0 else 70, (checked.stderr or checked.stdout).strip() or "the settings are not right.")
        self.configure_nginx()
        self.children = Children(f"{self.run_dir}/log", control, self.account)
        try:
            self.start()
            if self.wait_until_ready():
                self.first_user()
                self.announce()
                self.children.run()
        finally:
            self.children.stop()
        return 0
