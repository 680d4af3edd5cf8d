"""What a machine does to a line: its programs found and squeezed, its folders closed, its names and certificates gone."""
import contextlib
import os
import subprocess


def programs(line, name):
    """Process ids of the line's programs of that name (`faxline-queue`, `nginx: master`)."""
    found = {}
    home = None
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().replace(b"\0", b" ").decode(errors="replace")
            namespace = os.readlink(f"/proc/{pid}/ns/mnt")
            if words.split(" ")[0].endswith("/" + name) or words.startswith(name):
                found[int(pid)] = namespace
            if "/cgi-bin/session" in words and os.path.samefile(f"/proc/{pid}/root{run_dir_of(pid)}", line.run_dir):
                home = namespace
        except (OSError, KeyError):
            continue
    return [pid for pid, namespace in found.items() if namespace == home]


def run_dir_of(pid):
    """RUN_DIR as a program of ours sees it."""
    with open(f"/proc/{pid}/environ", "rb") as file:
        environment = dict(entry.split(b"=", 1) for entry in file.read().split(b"\0") if b"=" in entry)
    return os.path.dirname(environment[b"SOCKET_DIR"].decode())


def limits_of(pid):
    with open(f"/proc/{pid}/limits", encoding="ascii") as file:
        return next(tuple(map(int, line.split()[3:5])) for line in file if line.startswith("Max open files"))


def limit(pid, soft, hard):
    """As the program's own account: root of a container may not."""
    owner = os.stat(f"/proc/{pid}")
    account = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.getuid() == 0 else {}
    subprocess.run(["prlimit", "--pid", str(pid), f"--nofile={soft}:{hard}"], check=True, **account)


@contextlib.contextmanager
def no_more_files(line, name, but=0):
    """The programs of that name cannot open one more file (EMFILE), or a few alone."""
    pids = {pid: limits_of(pid) for pid in programs(line, name)}
    assert pids, f"no {name} runs on {line.run_dir}"
    try:
        for pid, (_, hard) in pids.items():
            numbers = sorted(int(fd) for fd in os.listdir(f"/proc/{pid}/fd"))
            lowest_free = next(number for number in range(len(numbers) + 1) if number not in numbers)
            limit(pid, lowest_free + but, hard)
        yield
    finally:
        for pid, limits in pids.items():
            if os.path.exists(f"/proc/{pid}"):
                limit(pid, *limits)


@contextlib.contextmanager
def read_only(line, folder):
    """A folder of RUN_DIR is on a file system that has become read-only, as ext4 does after an error of the disk."""
    pid = programs(line, "faxline-queue")[0]
    path = f"{run_dir_of(pid)}/{folder}"
    in_the_line = ["nsenter", "-t", str(pid), "-m", "-p", "--"]
    subprocess.run([*in_the_line, "mount", "--bind", path, path], check=True)
    try:
        subprocess.run([*in_the_line, "mount", "-o", "remount,bind,ro", path], check=True)
        yield
    finally:
        subprocess.run([*in_the_line, "umount", "-l", path], check=True)


def certificate(folder, name, days_ago=0, days=30):
    """An authority and a server's certificate for NAME, made DAYS_AGO: authority, certificate with key."""
    ago = ["faketime", f"{days_ago} days ago"] if days_ago else []
    authority, key, server = (os.path.join(folder, file) for file in ("authority.pem", "authority.key", "server.pem"))

    def openssl(*words):
        subprocess.run([*ago, "openssl", *words], check=True, capture_output=True)

    if not os.path.exists(authority):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", authority, "-days", "3650", "-subj", "/CN=Test authority",
                        "-addext", "basicConstraints=critical,CA:true"], check=True, capture_output=True)
    made = os.path.join(folder, "made")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", made + ".key", "-out", made + ".csr", "-subj", f"/CN={name}")
    with open(made + ".ext", "w", encoding="ascii") as file:
        file.write(f"subjectAltName=DNS:{name}\n")
    openssl("x509", "-req", "-in", made + ".csr", "-CA", authority, "-CAkey", key, "-CAcreateserial", "-days", str(days), "-extfile", made + ".ext", "-out", made + ".pem")
    with open(server, "w", encoding="ascii") as file:
        for part in (".key", ".pem"):
            with open(made + part, encoding="ascii") as read:
                file.write(read.read())
    return authority, server

