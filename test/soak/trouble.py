"""What goes wrong during a soak: the provider's faults, signals to programs, restarts, and what an administrator does. The
cards of a deck that is shuffled by the seed: each kind of trouble comes once before any comes twice."""
import collections
import os
import random
import signal
import subprocess
import threading
import time

PROGRAMS = ("session", "send", "status", "inbox", "inbound", "media", "sandbox", "faxline-queue", "faxline-deliver")
MORE = ("nginx", "courier")
FAULTS = {  # and the seconds, where it has them
    "refuse": None, "unauthorized": None, "rate-limit": 1, "error-500": None, "error-500-taken": None, "hang": 5, "drop": None, "answer-twice": None,
    "answer-truncated": None, "answer-huge": None, "not-json": None, "callbacks-twice": None, "callbacks-late": 8, "callbacks-reordered": None,
    "callbacks-never": None, "callbacks-wrong-signature": None, "callbacks-contradicting": None, "media-twice": None, "media-head": None, "media-range": None,
    "media-slow": None, "media-never": None, "one-page-less": None, "first-webhook-wrong-signature": None, "first-webhook-by-get": None,
    "payload-wrong-signature": None, "payload-twice": None, "payload-never-repeated": None, "payload-parts-reordered": None, "media-url-expired": None, "no-media-url": None,
}  # fmt: skip
STOPPED_SECONDS = (1, 6)
GONE_SECONDS = 10


def deck(kills):
    cards = [("fault", name) for name in FAULTS]
    cards += [("reconcile", ""), ("reconcile", ""), ("nginx reload", ""), ("nginx reload", ""), ("backup", "")]
    if kills:
        cards += [(how, name) for how in ("kill", "terminate", "stop") for name in PROGRAMS + MORE]
        cards += [("kill", "faxline-queue"), ("kill", "faxline-queue"), ("kill", "inbound"), ("kill", "media"), ("kill", "sandbox")]
        cards += [("kill all programs", ""), ("kill the line", ""), ("restart the line", "")]
    return cards


class Trouble(threading.Thread):
    def __init__(self, seed, line, pause, kills=True):
        super().__init__(name="trouble", daemon=True)
        self.random, self.line, self.pause, self.kills = random.Random(f"{seed}/trouble"), line, pause, kills
        self.ending, self.died = threading.Event(), None
        self.counts, self.faults, self.crashes = collections.Counter(), collections.Counter(), []
        self.stopped = set()  # processes
        self.verbs = None
        self.backups = 0

    def run(self):
        cards = []
        try:
            while not self.ending.wait(self.random.uniform(0.3, 1.7) * self.pause):
                if not cards:
                    cards = deck(self.kills)
                    self.random.shuffle(cards)
                self.play(*cards.pop())
        except Exception as error:  # pylint: disable=broad-except  # told by the soak
            self.died = error
        finally:
            self.go_on()

    def play(self, what, name):
        if what == "fault":
            seconds = FAULTS[name]
            if self.faxline("sandbox", "fault", name, *(("--seconds", str(seconds)) if seconds else ())):
                self.faults[name] += 1
        elif what == "reconcile":
            self.faxline("reconcile", wait=False)
        elif what == "backup":
            self.backup()
        elif what == "nginx reload":
            for process in self.line.processes("nginx")[:1]:  # the master is the oldest
                self.signal(process, signal.SIGHUP, what)
        elif what == "kill all programs":
            self.crashes.append(time.time())
            for program in PROGRAMS + ("nginx",):
                for process in self.line.processes(program):
                    self.signal(process, signal.SIGKILL, None)
            self.counts[what] += 1
        elif what in ("kill the line", "restart the line"):
            self.again(what)
        else:
            self.one(what, name)

    def one(self, how, name):
        found = self.line.processes(name)
        if not found:
            return  # it is just being started
        process = self.random.choice(found)
        if how == "stop":
            seconds = self.random.uniform(*STOPPED_SECONDS)
            self.stopped.add(process)
            self.signal(process, signal.SIGSTOP, "stop")
            # By another thread: this one may be waiting for an answer of that very program.
            timer = threading.Timer(seconds, self.go_on, [process])
            timer.daemon = True
            timer.start()
        else:
            self.crashes.append(time.time())
            self.signal(process, signal.SIGKILL if how == "kill" else signal.SIGTERM, how)

    def signal(self, process, number, what):
        try:
            os.kill(process, number)
        except (ProcessLookupError, PermissionError):
            return
        if what:
            self.counts[what] += 1

    def go_on(self, *processes):
        for process in processes or tuple(self.stopped):
            if process in self.stopped:
                self.stopped.discard(process)
                self.signal(process, signal.SIGCONT, None)

    def again(self, what):
        """The whole line is gone, and started again on the same folder."""
        self.go_on()
        self.crashes.append(time.time())
        if what == "kill the line":
            self.line.kill(GONE_SECONDS)
        else:
            self.line.stop(signal.SIGTERM)
        self.crashes.append(time.time())
        self.line.start()
        self.counts[what] += 1

    def faxline(self, *words, wait=True):
        command = [os.path.join(self.line.run_dir, "faxline"), *words]
        if not wait:
            subprocess.Popen(["timeout", "90", *command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # pylint: disable=consider-using-with
            self.counts[words[0]] += 1
            return True
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=90, check=False).returncode == 0

    def backup(self):
        if self.verbs is None:
            self.verbs = self.line.command("--help", check=False).stdout
        if "\n  backup" not in self.verbs and " backup " not in self.verbs:
            return
        folder = os.path.join(self.line.run_dir, f"backup-{self.backups}")
        self.backups += 1
        if self.faxline("backup", folder):
            self.counts["backup"] += 1
        subprocess.run(["rm", "-rf", folder], check=False)
