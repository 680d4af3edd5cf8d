"""The line's own namespaces: processes, so that nothing outlives it, and mounts, so that paths are short and enterable."""
import ctypes
import os
import pwd
import re
import subprocess

from running.settings import ROOT, Stop

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID = 0x00020000, 0x10000000, 0x20000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_SLAVE = 2, 4, 8, 4096, 16384, 1 << 19
PR_SET_PDEATHSIG = 1
# A folder that every Debian has and that is empty on this one holds our mounts: nothing is hidden by them.
PLACES = ("/mnt", "/srv", "/media", "/var/opt", "/var/local", "/opt", "/usr/local/games", "/usr/local/src")
CURE = (
    "make run needs namespaces of its own (user, mount, process), and this system refuses them ({}). "
    "In Docker, start the container with --privileged; where it is the kernel's setting, sysctl kernel.unprivileged_userns_clone=1; not in a chroot."
)

libc = ctypes.CDLL(None, use_errno=True)


class Refused(Exception):
    """The kernel says no; the text says to what."""


def check(result, what):
    if result != 0:
        raise Refused(f"{what}: {os.strerror(ctypes.get_errno())}")


def unshare(flags):
    check(libc.unshare(flags), "unshare")


def mount(source, target, kind, flags, data=None):
    words = [None if word is None else os.fsencode(word) for word in (source, target, kind)]
    check(libc.mount(*words, ctypes.c_ulong(flags), None if data is None else data.encode()), f"mount {target}")


def bind(source, target):
    mount(source, target, None, MS_BIND | MS_REC)


def die_with_parent(number, parent):
    """SIGNAL to this process when PARENT ends; at once if it has."""
    libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), number)


class Account:
    """Who the programs run as. `own_space`: in a user namespace, since we are not root."""

    def __init__(self):
        self.own_space = os.getuid() != 0
        if self.own_space:
            self.uid, self.gid = os.getuid(), os.getgid()
            return
        owner = os.stat(ROOT)
        self.uid, self.gid = owner.st_uid, owner.st_gid
        if self.uid:
            try:
                self.gid = pwd.getpwuid(self.uid).pw_gid
            except KeyError:
                pass
            return
        try:
            entry = pwd.getpwnam("faxline-run")
        except KeyError:
            subprocess.run(["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", "faxline-run"], check=True)
            entry = pwd.getpwnam("faxline-run")
        self.uid, self.gid = entry.pw_uid, entry.pw_gid

    def name(self):
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return str(self.uid)

    def become(self):
        """For good. In a user namespace the groups stay: they are the user's own."""
        if not self.own_space:
            os.setgroups([])
        os.setresgid(self.gid, self.gid, self.gid)
        os.setresuid(self.uid, self.uid, self.uid)


def range_of(path, account):
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                who, start, count = line.strip().split(":")
                if who in (account.name(), str(account.uid)) and int(count) >= 2:
                    return int(start)
    except (OSError, ValueError):
        pass
    raise Stop(69, f"{account.name()} has no range of subordinate ids in {path}, which the POP3 server needs. As root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {account.name()}")


def map_of(path, account, own, courier):
    """Root and courier become ids of the user's range; the user stays itself."""
    start = range_of(path, account)
    return [str(number) for triple in ((0, start, 1), (courier, start + 1, 1), (own, own, 1)) for number in triple]


def enter_user_space(account):
    """A user namespace in which root and courier exist, mapped by newuidmap from outside."""
    try:
        courier = pwd.getpwnam("courier")
    except KeyError:
        raise Stop(69, "the package courier-authdaemon is missing: apt-get install courier-pop courier-authdaemon") from None
    maps = ["newuidmap"], map_of("/etc/subuid", account, account.uid, courier.pw_uid), ["newgidmap"], map_of("/etc/subgid", account, account.gid, courier.pw_gid)
    us = str(os.getpid())
    go_read, go_write = os.pipe()
    helper = os.fork()
    if helper == 0:
        os.close(go_write)
        status = 1
        if os.read(go_read, 1):
            try:
                for program, ids in (maps[:2], maps[2:]):
                    subprocess.run([*program, us, *ids], check=True)
                status = 0
            except (OSError, subprocess.CalledProcessError):
                pass
        os._exit(status)
    os.close(go_read)
    try:
        unshare(CLONE_NEWUSER)
        os.write(go_write, b"!")
    finally:
        os.close(go_write)
        _, status = os.waitpid(helper, 0)
    if status:
        raise Stop(69, "newuidmap refused the ids of /etc/subuid and /etc/subgid: is the package uidmap installed?")


class Binding:
    """Folders at short paths below one of PLACES: `path()` says where a path is now."""

    def __init__(self):
        self.place = next((place for place in PLACES if os.path.isdir(place) and not os.listdir(place)), None)
        if self.place is None:
            raise Stop(69, "make run needs one empty folder to put its own mounts on, and none of these is: " + ", ".join(PLACES))
        self.bound = {}

    def enter(self):
        mount(None, "/", None, MS_REC | MS_SLAVE)  # a disk that is mounted later is seen here, and ours nowhere else
        mount("tmpfs", self.place, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=256m")

    def add(self, name, source):
        if source in self.bound or self.path(source) != source:
            return
        target = f"{self.place}/{name}"
        if os.path.isdir(source):
            os.mkdir(target)
        else:
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT, 0o644))
        bind(source, target)
        self.bound[source] = target

    def keep(self, source):
        """This folder stays at its own path, even within one that is bound."""
        self.bound[source] = source

    def path(self, path):
        for source, target in sorted(self.bound.items(), key=lambda pair: -len(pair[0])):
            if path == source or path.startswith(source + "/"):
                return target + path[len(source) :]
        return path


def can_reach(path, uid, gid):
    """Whether this account comes to PATH by the name that people know, and no program stumbles over that name."""
    if not re.fullmatch(r"[\w./+-]{1,80}", path, re.ASCII):
        return False
    while path != "/":
        path = os.path.dirname(path)
        status = os.stat(path)
        if not status.st_mode >> (6 if status.st_uid == uid else 3 if status.st_gid == gid else 0) & 1:
            return False
    return True


def bind_line(binding, build, run_dir, settings, uid, gid):
    binding.enter()
    # The mailbox keeps its name where it can: it is told to people, and a folder that was bound could not be replaced.
    if can_reach(settings["MAILDIR_ROOT_DIR"], uid, gid):
        binding.keep(settings["MAILDIR_ROOT_DIR"])
    binding.add("checkout", ROOT)
    binding.add("build", build)
    binding.add("run", run_dir)
    binding.add("state", settings["STATE_DIR"])
    binding.add("mail", settings["MAILDIR_ROOT_DIR"])
    if os.path.exists(settings.values.get("PROVIDER_CA_FILE", "")):
        binding.add("provider-ca.pem", settings["PROVIDER_CA_FILE"])


def ensure_folder(path, copy):
    """Makes PATH in this mount namespace alone: its parent, which may not be ours to write in, is put together anew in COPY."""
    if os.path.isdir(path):
        return
    parent, name = os.path.split(path)
    os.mkdir(copy)
    for entry in os.scandir(parent):
        target = f"{copy}/{entry.name}"
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), target)
            continue
        if entry.is_dir():
            os.mkdir(target)
        else:
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT, 0o600))
        bind(entry.path, target)
    os.mkdir(f"{copy}/{name}")
    bind(copy, parent)


def own_processes():
    """/proc of our own process namespace; where the system refuses it, the old one does."""
    try:
        mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    except Refused:
        pass


def can_box(account):
    """What the queue puts documents into: bubblewrap, run as the programs will run it."""
    words = ["bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "/usr/bin/true"]
    done = subprocess.run(words, preexec_fn=account.become, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused("bubblewrap: " + done.stderr.strip()[-200:])
