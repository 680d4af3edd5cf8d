"""`make run`, from outside: prepares RUN_DIR, enters the namespaces, and waits for the line in them."""
import errno
import fcntl
import importlib.machinery
import importlib.util
import json
import os
import pwd
import re
import select
import shlex
import signal
import socket
import sys
import time

from running import certificates, house
from running.line import Line
from running.settings import ROOT, Settings, Stop, login, write

FOLDERS = {
    "log": 0o700, "nginx": 0o700, "temporary": 0o700, "socket": 0o700, "state": 0o700, "mail": 0o700, "tls": 0o755,
}  # fmt: skip
STATE_FOLDERS = ("acme", "handout", "spool", "db", "people", "sandbox")
PROGRAMS = ["cgi-bin/session", "cgi-bin/send", "cgi-bin/status", "cgi-bin/inbox", "cgi-bin/inbound", "cgi-bin/media", "bin/faxline-queue", "bin/faxline-deliver", "bin/faxline"]
OURS = {*FOLDERS, "lock", "faxline", "faxline.conf", "login.txt", "line.json", "sandbox-port"}
# The line inside has less than this to stop by itself.
PATIENCE = 9


def render_module():
    loader = importlib.machinery.SourceFileLoader("render", f"{ROOT}/nginx/render")
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("render", loader))
    loader.exec_module(module)
    return module


def lock(run_dir):
    """Held by this process and the line inside, as long as one of them lives."""
    descriptor = os.open(f"{run_dir}/lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    end = time.monotonic() + 3
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > end:
                other = os.read(descriptor, 32).decode("ascii", "replace").strip()
                raise Stop(69, f"a line runs on {run_dir} already (process {other}): stop that one, or give another RUN_DIR.") from None
            time.sleep(0.1)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def bind_once(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind((address.strip("[]"), port))
        one.listen(1)  # two sockets that only bind may share a port


def check_port(name, listen, address, port):
    end = time.monotonic() + 3  # one that was killed lets go a moment later
    while True:
        try:
            return bind_once(address, port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < end:
                time.sleep(0.1)
                continue
            if error.errno == errno.EADDRINUSE:
                raise Stop(69, f"port {port} is in use by another program: stop that one, or choose another port, such as {name}={port + 10 if port < 65000 else port - 10} make run.") from None
            if error.errno == errno.EACCES:
                raise Stop(69, f"port {port} ({name}) is for root alone: choose one above 1023.") from None
            raise Stop(69, f"{listen} is not an address of this machine ({address}: {error.strerror}).") from None


def check_ports(settings):
    addresses = render_module().addresses
    seen = {}
    ports = [("LAN_PORT", "LAN_LISTEN"), ("PUBLIC_PORT", "PUBLIC_LISTEN"), ("ACME_PORT", "PUBLIC_LISTEN"), ("POP3_PORT", None)]
    for name, listen in ports + ([("SANDBOX_PORT", None)] if settings.practice else []):
        port = int(settings[name])
        if port in seen:
            raise Stop(78, f"{seen[port]} and {name} are both {port}: each needs a port of its own.")
        seen[port] = name
        try:
            found = addresses(settings[listen], listen) if listen else ["127.0.0.1"]
        except ValueError as wrong:
            raise Stop(78, str(wrong)) from None
        for address in found:
            check_port(name, listen, address, port)


def check_programs(build, practice):
    missing = [name for name in PROGRAMS + (["cgi-bin/sandbox"] if practice else []) if not os.access(f"{build}/{name}", os.X_OK)]
    if missing:
        raise Stop(69, f"{', '.join(missing)} not found in {build}: `make` builds what is missing.")


def own(path, account):
    """Gives a tree of ours, made by root, to ACCOUNT. A link is given, never what it points to."""
    os.chown(path, account.uid, account.gid, follow_symlinks=False)
    if os.path.isdir(path) and not os.path.islink(path):
        for entry in os.scandir(path):
            own(entry.path, account)


def is_maildir_or_empty(path):
    names = set(os.listdir(path))
    return not names or {"new", "cur", "tmp"} <= names


def prepare_maildir(path, account):
    existed = os.path.isdir(path)
    try:
        os.makedirs(path, 0o700, exist_ok=True)
        owner = os.stat(path).st_uid
        if owner not in (0, account.uid) or (not account.own_space and existed and owner == 0 and not is_maildir_or_empty(path)):
            raise Stop(69, f"{path} belongs to another account and is not a Maildir of {account.name()}, as whom the line runs: give another MAILDIR_ROOT_DIR, or chown it.")
        for name in ("tmp", "new", "cur"):
            os.makedirs(f"{path}/{name}", 0o700, exist_ok=True)
        if not account.own_space and os.stat(path).st_uid != account.uid:
            own(path, account)
    except (FileExistsError, NotADirectoryError) as error:
        raise Stop(78, f"MAILDIR_ROOT_DIR is {path}, but {error.filename} is not a folder: give another.") from None
    except PermissionError as error:
        raise Stop(69, f"{error.filename} cannot be written by {account.name()}: give another MAILDIR_ROOT_DIR.") from None


def prepare_folders(run_dir, settings, account):
    for name, mode in FOLDERS.items():
        os.makedirs(f"{run_dir}/{name}", mode, exist_ok=True)
    for entry in os.scandir(f"{run_dir}/socket"):
        os.remove(entry.path)
    os.makedirs(settings["STATE_DIR"], 0o700, exist_ok=True)
    for name in STATE_FOLDERS:
        os.makedirs(f"{settings['STATE_DIR']}/{name}", 0o755 if name == "acme" else 0o700, exist_ok=True)
    prepare_maildir(settings["MAILDIR_ROOT_DIR"], account)


def is_home(path):
    return os.path.realpath(path) in {os.path.realpath(entry.pw_dir) for entry in pwd.getpwall()}


def give_away(run_dir, settings, account):
    """As root: what is in RUN_DIR belongs to those who run on it."""
    if account.own_space:
        return
    strangers = set(os.listdir(run_dir)) - OURS
    if os.stat(run_dir).st_uid != account.uid:
        if not strangers:
            os.chown(run_dir, account.uid, account.gid)
        elif os.stat(run_dir).st_mode & 0o1 == 0 and not is_home(run_dir):
            # Entered, but not listed: what is not ours stays as closed as it is.
            os.chmod(run_dir, os.stat(run_dir).st_mode & 0o7777 | 0o11)
        elif os.stat(run_dir).st_mode & 0o1 == 0:
            raise Stop(69, f"{run_dir} holds other things and cannot be entered by {account.name()}, as whom the line runs: give an empty RUN_DIR, or chmod 755 it.")
    for name in OURS & set(os.listdir(run_dir)):
        path = f"{run_dir}/{name}"
        if name in ("state", "mail") and os.lstat(path).st_uid == account.uid:
            continue  # may be large, and has been theirs
        own(path, account)
    for path in [settings["STATE_DIR"], *(f"{settings['STATE_DIR']}/{name}" for name in STATE_FOLDERS)]:
        if os.stat(path).st_uid == 0:
            own(path, account)


def write_command(run_dir, build, settings, account):
    kept = {name: value for name, value in settings.values.items() if name != "RUN_PASSWORD"}
    write(f"{run_dir}/line.json", json.dumps({"uid": account.uid, "gid": account.gid, "build": build, "settings": kept}, indent=1) + "\n", 0o600)
    text = "#!/bin/sh\n# The command `faxline` on the line in this folder, with the settings that `make run` was given.\n"
    write(f"{run_dir}/faxline", text + f'exec {shlex.quote(ROOT + "/bin/line")} command "$(dirname "$(readlink -f "$0")")" "$@"\n', 0o755)


def prepare(run_dir, build, account):
    settings = Settings(run_dir, os.environ)
    check_programs(build, settings.practice)
    password, given = login(run_dir, settings)
    check_ports(settings)
    prepare_folders(run_dir, settings, account)
    certificates.prepare(f"{run_dir}/tls", settings["PUBLIC_HOSTNAME"])
    write_command(run_dir, build, settings, account)
    give_away(run_dir, settings, account)
    return settings, password, given


def enter(account, build, run_dir, settings):
    binding = house.Binding()
    try:
        if account.own_space:
            house.enter_user_space(account)
        house.unshare(house.CLONE_NEWNS | house.CLONE_NEWPID)
        house.bind_line(binding, build, run_dir, settings, account.uid, account.gid)
    except house.Refused as refused:
        raise Stop(69, house.CURE.format(refused)) from None
    return binding


def inside(make_line, control, outside_end):
    """The first process of the new namespace; never returns."""
    status = 70
    try:
        os.close(outside_end)
        os.setsid()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        status = make_line(control)
    except Stop as stop:
        print(f"faxline: {stop.sentence}", file=sys.stderr, flush=True)
        status = stop.status
    except house.Refused as refused:
        print(f"faxline: {house.CURE.format(refused)}", file=sys.stderr, flush=True)
        status = 69
    except BaseException as error:  # pylint: disable=broad-except  # nothing may run on here
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        os._exit(status)


def caught(process):
    """Which of SIGHUP and SIGINT a process has a handler for. PROCESS is its folder in /proc, opened before /proc became another."""
    try:
        with os.fdopen(os.open("status", os.O_RDONLY, dir_fd=process), encoding="ascii", errors="replace") as file:
            mask = int(re.search(r"^SigCgt:\s*([0-9a-f]+)", file.read(), re.M)[1], 16)
    except (OSError, TypeError):
        return set()
    return {number for number in (signal.SIGHUP, signal.SIGINT) if mask >> (number - 1) & 1}


def wait_for(child, control, maker, maker_folder):
    """Passes on what is asked of us. Asked twice, or for too long: the whole namespace is killed."""
    asked = 0

    def stop(number, _frame=None):
        nonlocal asked
        asked += 1
        if asked > 1 or number == signal.SIGALRM:
            os.kill(child, signal.SIGKILL)
            return
        signal.alarm(PATIENCE)
        try:
            os.write(control, b"!")
        except OSError:
            pass  # it has ended, or its pipe is closed already, which says the same

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, stop)
    # make passes SIGTERM on, but not a SIGINT that it gets alone: it takes its handler away, and waits for us.
    handlers, pidfd = caught(maker_folder), os.pidfd_open(child)
    while not select.select([pidfd], [], [], 0.5)[0]:
        if not asked and handlers and os.getppid() == maker and not handlers <= caught(maker_folder):
            stop(signal.SIGINT)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run():
    maker = os.getppid()
    house.die_with_parent(signal.SIGTERM, maker)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.umask(0o022)
    run_dir = os.path.realpath(os.environ.get("RUN_DIR") or f"{ROOT}/run")
    build = os.path.realpath(os.path.join(ROOT, os.environ.get("BUILD") or "build"))
    try:
        os.makedirs(run_dir, 0o755, exist_ok=True)
        held = lock(run_dir)
        account = house.Account()
        settings, password, given = prepare(run_dir, build, account)
    except PermissionError as error:
        raise Stop(69, f"{error.filename} cannot be written: it may have been made by another account. Remove it, or give another RUN_DIR.") from None
    except OSError as error:
        raise Stop(74, f"{run_dir} cannot be prepared: {error}") from None
    maker_folder = os.open(f"/proc/{maker or 'self'}", os.O_RDONLY | os.O_DIRECTORY)  # none, where it is outside a container
    binding = enter(account, build, run_dir, settings)
    control_read, control_write = os.pipe()
    line = Line(account, binding, build, run_dir, settings, password, given)
    child = os.fork()
    if child == 0:
        inside(line.run, control_read, control_write)
    os.close(control_read)
    house.die_with_parent(signal.SIGTERM, maker)  # entering a user namespace has taken it away
    status = wait_for(child, control_write, maker, maker_folder)
    os.close(held)
    return 128 - status if status < 0 else status
