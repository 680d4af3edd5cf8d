"""Starts programs, starts them again when they end, stops them. The first process of its namespace."""
import os
import select
import signal
import subprocess
import sys
import time

LOG_LIMIT = 10 << 20
FIRST_WAIT, LONGEST_WAIT, SETTLED = 0.5, 10.0, 30.0
WRONG_SETTINGS = 78


def say(text):
    """A line for the person. Nobody may be reading: then it is lost, and nothing hangs."""
    try:
        if select.select([], [sys.stderr.fileno()], [], 0)[1]:
            print(f"faxline: {text}", file=sys.stderr, flush=True)
    except OSError:
        pass


class Child:
    """A program that is to run. `account` None: as root of the namespace."""

    def __init__(self, name, words, environment, account):
        self.name, self.words, self.environment, self.account = name, words, environment, account
        self.process, self.started, self.wait, self.due = None, 0.0, FIRST_WAIT, 0.0


class Children:
    """All of them. `control` is a pipe from outside: a byte, or its end, asks to stop."""

    def __init__(self, logs, control, owner):
        self.logs, self.control, self.owner, self.children, self.stopping = logs, control, owner, [], False
        self.wrong_settings = None
        self.wake, wake_write = os.pipe()
        for end in (self.wake, wake_write):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self.on_signal)
        self.line_log = self.open_log("line")

    def on_signal(self, number, _frame):
        if number != signal.SIGCHLD:
            self.stopping = True

    def open_log(self, name):
        log = os.open(f"{self.logs}/{name}.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        os.fchown(log, self.owner.uid, self.owner.gid)
        return log

    def note(self, text):
        os.write(self.line_log, f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {text}\n".encode())

    def add(self, child):
        self.children.append(child)
        self.start(child)

    def start(self, child):
        log = self.open_log(child.name)
        try:
            child.process = subprocess.Popen(
                child.words, env=child.environment, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=child.account.become if child.account else None,
            )  # fmt: skip
        except OSError as error:
            child.process = None
            self.note(f"{child.name} cannot be started: {error}")
            self.again(child)
        finally:
            os.close(log)
        child.started = time.monotonic()

    def again(self, child):
        if child.started and time.monotonic() - child.started > SETTLED:
            child.wait = FIRST_WAIT
        child.due = time.monotonic() + child.wait
        child.wait = min(child.wait * 2, LONGEST_WAIT)

    def reap(self):
        """Ends of ours, and of orphans, which come to us as the first process."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for child in self.children:
                if child.process is not None and child.process.pid == pid:
                    code = os.waitstatus_to_exitcode(status)
                    child.process.returncode = code
                    child.process = None
                    self.ended(child, code)

    def ended(self, child, code):
        how = f"status {code}" if code >= 0 else f"signal {-code}"
        if self.stopping:
            self.note(f"{child.name} ended with {how}")
            return
        if code == WRONG_SETTINGS:
            self.wrong_settings = child.name
        self.again(child)
        text = f"{child.name} ended with {how}; starting it again"
        self.note(text)
        say(f"{text} (see log/{child.name}.log)")

    def turn(self, seconds):
        """Waits at most SECONDS for something to do, and does it. False: stop."""
        self.reap()
        now = time.monotonic()
        for child in self.children:
            if child.process is None and not self.stopping and now >= child.due:
                self.start(child)
        waits = [child.due - now for child in self.children if child.process is None]
        ready = select.select([self.wake, self.control], [], [], max(0.0, min([seconds, *waits])))[0]
        if self.wake in ready:
            os.read(self.wake, 512)
        if self.control in ready:
            os.read(self.control, 1)
            self.stopping = True
        self.reap()
        return not self.stopping

    def run(self):
        while self.turn(10.0):
            self.bound_logs()

    def bound_logs(self):
        for entry in os.scandir(self.logs):
            if entry.name.endswith(".log") and entry.is_file(follow_symlinks=False) and entry.stat().st_size > LOG_LIMIT:
                # Written to by programs that hold it open, at its end: it stays the same file.
                with open(entry.path, "rb") as old, open(f"{self.logs}/{entry.name}.1", "wb") as kept:
                    while block := old.read(1 << 20):
                        kept.write(block)
                    os.fchown(kept.fileno(), self.owner.uid, self.owner.gid)
                os.truncate(entry.path, 0)

    def signal_all(self, number, names=None):
        for child in self.children:
            if child.process is not None and (names is None or child.name in names):
                try:
                    os.kill(child.process.pid, number)
                except ProcessLookupError:
                    pass

    def wait_for(self, names, seconds):
        end = time.monotonic() + seconds
        while any(child.process is not None and (names is None or child.name in names) for child in self.children) and time.monotonic() < end:
            self.stopping = True
            try:
                select.select([self.wake], [], [], 0.1)[0] and os.read(self.wake, 512)
            except BlockingIOError:
                pass
            self.reap()

    def stop(self):
        """nginx first, so that what is under way gets its answer; then the programs, which drain; what is left dies with us."""
        self.stopping = True
        self.note("stopping")
        self.signal_all(signal.SIGQUIT, {"nginx"})
        self.wait_for({"nginx"}, 1.5)
        self.signal_all(signal.SIGTERM)
        self.wait_for(None, 5.0)
        self.signal_all(signal.SIGKILL)
        self.wait_for(None, 1.0)
        self.note("stopped")
