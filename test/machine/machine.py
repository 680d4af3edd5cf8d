"""A whole machine: Debian 12 with systemd, booted in systemd-nspawn. The tree that it begins with is made once
(make_tree), and kept; what a machine writes goes to a folder of its own, by an overlay."""
import contextlib
import fcntl
import hashlib
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.abspath(os.environ.get("BUILD", f"{ROOT}/build"))
BOOT_SECONDS = 60


class Cannot(Exception):
    """Why there can be no machine here; the tests are skipped with it, loudly."""


class Failed(AssertionError):
    """A command of the machine ended with another status than 0."""


def need():
    if os.getuid() != 0:
        raise Cannot("only root can boot a machine in systemd-nspawn")
    for program, package in (("systemd-nspawn", "systemd-container"), ("debootstrap", "debootstrap"), ("nsenter", "util-linux"), ("git", "git")):
        if shutil.which(program) is None:
            raise Cannot(f"{program} is missing: apt-get install {package}")


def tree():
    """The tree for the packages that are asked for now; FAXLINE_MACHINE_TREE says where it is kept."""
    need()
    wanted = subprocess.run([f"{ROOT}/test/support/packages", "--list", "build", "install"], capture_output=True, check=True).stdout
    with open(f"{HERE}/make_tree", "rb") as file:
        mark = hashlib.sha256(wanted + file.read()).hexdigest()[:12]
    folder = os.environ.get("FAXLINE_MACHINE_TREE") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "faxline/machine")
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    with open(f"{folder}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(f"{folder}-{mark}"):
            made = subprocess.run([f"{HERE}/make_tree", f"{folder}-{mark}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
            if made.returncode:
                raise Cannot(f"an empty Debian 12 cannot be made: {made.stdout.strip()[-300:]}")
    return f"{folder}-{mark}"


def sources(folder):
    """A repository in FOLDER with the files as they are here, committed or not."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-zco", "--exclude-standard"], capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        if os.path.lexists(f"{ROOT}/{name}"):
            os.makedirs(os.path.dirname(f"{folder}/{name}"), exist_ok=True)
            shutil.copy2(f"{ROOT}/{name}", f"{folder}/{name}", follow_symlinks=False)
    git = ["git", "-C", folder, "-c", "user.name=test", "-c", "user.email=test@localhost"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "as it is"]):
        subprocess.run([*git, *words], check=True)


class Machine:
    """One that runs. `person` is its user, who may become root with sudo."""

    person = "anna"

    def __init__(self, base, build):
        self.folder = tempfile.mkdtemp(prefix="faxline-machine-")
        for name in ("upper", "work", "root", "sources"):
            os.mkdir(f"{self.folder}/{name}")
        os.chmod(self.folder, 0o755)
        self.root, self.build, self.process, self.init = f"{self.folder}/root", os.path.abspath(build), None, None
        mounted = subprocess.run(["mount", "-t", "overlay", "overlay", "-o", f"lowerdir={base},upperdir={self.folder}/upper,workdir={self.folder}/work", self.root], capture_output=True, text=True, check=False)
        if mounted.returncode:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise Cannot(f"no overlay can be mounted here: {mounted.stderr.strip()}")
        sources(f"{self.folder}/sources")
        self.log = open(f"{self.folder}/console", "wb")  # pylint: disable=consider-using-with
        for path, text in (("hostname", "faxbox\n"), ("hosts", "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 faxbox\n"), (f"sudoers.d/{self.person}", f"{self.person} ALL=(ALL) NOPASSWD: ALL\n")):
            with open(f"{self.root}/etc/{path}", "w", encoding="ascii") as file:
                file.write(text)
        subprocess.run(["chroot", self.root, "useradd", "-m", "-s", "/bin/bash", self.person], check=True)
        # git takes nothing from a repository of somebody else.
        uid = next(line.split(":")[2] for line in self.read("/etc/passwd").splitlines() if line.startswith(f"{self.person}:"))
        subprocess.run(["chown", "-R", f"{uid}:{uid}", f"{self.folder}/sources"], check=True)

    def start(self):
        words = ["systemd-nspawn", "--register=no", "--keep-unit", "--private-network", "--quiet", "-D", self.root, "--bind-ro", f"{self.folder}/sources:/srv/faxline.git", "--bind-ro", f"{self.build}:/srv/build", "-b"]
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)
        self.wait_for_boot()
        return self

    def find_init(self):
        """The machine's first process: a child of systemd-nspawn's."""
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            with open(f"/proc/{self.process.pid}/task/{task}/children", encoding="ascii") as file:
                for child in map(int, file.read().split()):
                    with open(f"/proc/{child}/status", encoding="ascii") as status:
                        if any(line.startswith("NSpid:") and line.split()[-1] == "1" for line in status):
                            return child
        return None

    def wait_for_boot(self):
        end = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise Cannot(f"systemd-nspawn ended with {self.process.returncode}: {self.console()[-300:]}")
            try:
                self.init = self.find_init()
                if self.init is not None and self.run("systemctl is-system-running", check=False).strip() in ("running", "degraded"):
                    return
            except (OSError, subprocess.TimeoutExpired):
                pass
            time.sleep(0.2)
        raise Cannot(f"the machine does not boot: {self.console()[-300:]}")

    def console(self):
        with open(f"{self.folder}/console", encoding="utf-8", errors="replace") as file:
            return file.read()

    def run(self, text, check=True, seconds=120, given=None, person=None):
        """What a shell in the machine says to TEXT; as root, or as PERSON in their home."""
        shell = ["/bin/sh", "-c", text] if person is None else ["runuser", "-l", person, "-c", text]
        environment = ["env", "-i", "-C", "/", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=/root"]
        words = ["nsenter", "-t", str(self.init), "-m", "-u", "-i", "-n", "-p", "-C", "--root", *environment, *shell]
        done = subprocess.run(words, input=given, capture_output=True, text=True, errors="replace", timeout=seconds, check=False)
        if check and done.returncode:
            raise Failed(f"{text!r} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done.stdout if check else done.stdout + done.stderr  # a failure is told on either

    def as_person(self, text, **more):
        return self.run(text, person=self.person, **more)

    def read(self, path):
        with open(f"{self.root}{path}", encoding="utf-8") as file:
            return file.read()

    def until(self, question, seconds, what):
        end = time.monotonic() + seconds
        while True:
            answer = question()
            if answer:
                return answer
            if time.monotonic() > end:
                raise Failed(f"not within {seconds} s: {what}")
            time.sleep(0.2)

    def shut_down(self):
        self.run("systemctl --no-block reboot")
        self.process.wait(BOOT_SECONDS)  # it leaves the second half to who started it

    def reboot(self):
        self.shut_down()
        self.start()

    @contextlib.contextmanager
    def small_disk(self, path, megabytes):
        """Boots with a disk of its own at PATH, with what was there; gives where it is here. Then all is moved back."""
        self.shut_down()
        disk, place = f"{self.folder}/disk", f"{self.root}{path}"
        os.mkdir(disk)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", disk], check=True)
        try:
            subprocess.run(["cp", "-aT", place, disk], check=True)
            subprocess.run(["mount", "--bind", disk, place], check=True)
            yield disk
            self.shut_down()
            subprocess.run(["umount", place], check=True)
            subprocess.run(["find", place, "-mindepth", "1", "-delete"], check=True)
            subprocess.run(["cp", "-aT", disk, place], check=True)
        finally:
            subprocess.run(["umount", disk], check=True)
            os.rmdir(disk)
        self.start()

    def cut_power(self):
        """Everything ends at once, and the machine starts again."""
        os.kill(self.init, signal.SIGKILL)
        self.process.wait(30)
        self.start()

    def close(self):
        if self.process is not None and self.process.poll() is None:
            os.kill(self.init, signal.SIGKILL)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        subprocess.run(["umount", "-R", self.root], check=False)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def booted():
    """A machine that runs, as long as one is within; where there can be none, the tests are skipped, loudly."""
    try:
        one = Machine(tree(), BUILD)
        with contextlib.closing(one):
            yield one.start()
    except Cannot as why:
        pytest.skip(f"*** NO MACHINE WAS TRIED: {why}")


def quoted(text):
    return shlex.quote(text)
