#!/usr/bin/python3 -B
"""A PostgreSQL server for the tests: in a temporary folder, on a Unix socket alone, gone when its user is.

    postgresql.py run COMMAND ARGUMENT...     the command, with TEST_DATABASE_URL set to the server's; its exit status, or 69
                                              and a sentence when PostgreSQL is not installed

Python's tests import Server. Data are never synced: a server that is killed loses nothing by that, a machine would.
As root the server runs as the account that Debian's package makes; it ends, and its folder goes, also when the tests are killed.
"""
import glob
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time

BINARIES = "/usr/lib/postgresql/*/bin/postgres"
MISSING = "PostgreSQL is not installed (package postgresql): its tests are NOT run."
CONFIGURATION = """listen_addresses = ''
unix_socket_permissions = 0777
fsync = off
full_page_writes = off
shared_buffers = 16MB
max_connections = 300
log_line_prefix = '%m [%p] %u '
"""


class Missing(Exception):
    pass


def binaries():
    found = sorted(glob.glob(BINARIES))
    if not found:
        raise Missing(MISSING)
    return os.path.dirname(found[-1])


class Server:
    """One server. `url` is its superuser's; stop() and start() keep the data, close() does not."""

    def __init__(self):
        self.binaries = binaries()
        self.account = pwd.getpwnam("postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name)
        self.password = secrets.token_hex(16)
        # Short: a socket's path has 107 bytes. Whoever finds the socket needs the password, too.
        self.folder = tempfile.mkdtemp(prefix="faxline-pg-", dir="/tmp")
        os.chmod(self.folder, 0o711)
        self.process = None
        # Ends all when this process does, however it does: then the pipe is closed.
        self.guard = subprocess.Popen([sys.executable, "-B", os.path.abspath(__file__), "guard", self.folder], stdin=subprocess.PIPE, start_new_session=True)
        try:
            self._make()
            self.start()
        except BaseException:
            self.close()
            raise

    def _as_account(self, words):
        if os.geteuid() != 0:
            return words
        return ["setpriv", f"--reuid={self.account.pw_uid}", f"--regid={self.account.pw_gid}", "--clear-groups", *words]

    def _make(self):
        self.data = f"{self.folder}/data"
        os.mkdir(self.data, 0o700)
        secret = f"{self.folder}/password"
        with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(self.password)
        for path in (self.data, secret, self.folder):
            os.chown(path, self.account.pw_uid, self.account.pw_gid)
        done = subprocess.run(self._as_account([f"{self.binaries}/initdb", "-D", self.data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--auth=scram-sha-256", f"--pwfile={secret}"]),
                              cwd="/", capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"initdb: {done.stderr}")
        os.remove(secret)
        with open(f"{self.data}/postgresql.conf", "a", encoding="utf-8") as file:
            file.write(CONFIGURATION + f"unix_socket_directories = '{self.folder}'\n")

    def start(self):
        self.log = open(f"{self.folder}/log", "ab")
        self.process = subprocess.Popen(self._as_account([f"{self.binaries}/postgres", "-D", self.data]), cwd="/", stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)
        end = time.monotonic() + 60
        while subprocess.run([f"{self.binaries}/pg_isready", "-q", "-h", self.folder], check=False).returncode:
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("PostgreSQL did not start: " + self.words())
            time.sleep(0.02)

    def words(self):
        with open(f"{self.folder}/log", encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self, how=signal.SIGINT):
        """SIGINT: connections are closed, SIGQUIT: as after a crash."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(30)
        if self.process:
            self.log.close()
        self.process = None

    def restart(self, how=signal.SIGINT):
        self.stop(how)
        self.start()

    def close(self):
        try:
            self.stop(signal.SIGQUIT)
        finally:
            self.guard.stdin.close()
            self.guard.wait(30)

    def url_of(self, user, password, database):
        return f"postgresql://{user}:{password}@/{database}?host={self.folder}"

    @property
    def url(self):
        return self.url_of("postgres", self.password, "postgres")

    def sql(self, text, user="postgres", password=None, database="postgres"):
        """What psql answers, one line a row; an error ends it."""
        done = subprocess.run([f"{self.binaries}/psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-U", user, "-d", database], input=text,
                              env={**os.environ, "PGPASSWORD": password or self.password}, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout


def guard(folder):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    try:
        with open(f"{folder}/data/postmaster.pid", encoding="ascii") as file:
            server = int(file.readline())
        os.kill(server, signal.SIGQUIT)
        end = time.monotonic() + 10
        while os.path.exists(f"/proc/{server}") and time.monotonic() < end:
            time.sleep(0.02)
    except (OSError, ValueError):
        pass  # it has ended, or never began
    shutil.rmtree(folder, ignore_errors=True)
    return 0


def run(words):
    try:
        server = Server()
    except Missing as missing:
        print(f"*** {missing}", file=sys.stderr)
        return 69
    try:
        return subprocess.run(words, env={**os.environ, "TEST_DATABASE_URL": server.url}, check=False).returncode
    finally:
        server.close()


if __name__ == "__main__":
    if len(sys.argv) > 2 and sys.argv[1] == "run":
        sys.exit(run(sys.argv[2:]))
    if len(sys.argv) == 3 and sys.argv[1] == "guard":
        sys.exit(guard(sys.argv[2]))
    sys.exit("usage: postgresql.py run COMMAND ARGUMENT...")
