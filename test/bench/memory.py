"""PSS by program: each process's own pages, and its share of those that several have."""
import os
import re

OURS = ("session", "send", "status", "inbox", "inbound", "media", "sandbox", "faxline-queue", "faxline-deliver")


def parents():
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
                    found[int(name)] = int(file.read().rpartition(")")[2].split()[1])
            except OSError:
                pass  # it has ended
    return found


def below(root):
    """The processes that descend from ROOT."""
    above, inside = parents(), set()
    for process in above:
        path, one = [], process
        while one and one != root and one not in inside:
            path.append(one)
            one = above.get(one, 0)
        if one:
            inside.update(path)
    return inside - {root}


def program_of(process):
    name = os.path.basename(os.readlink(f"/proc/{process}/exe"))
    if name in OURS or name == "nginx":
        return name
    return "starter of make run" if name.startswith(("python", "make", "sh", "dash")) else f"courier: {name}"


def pss_kilobytes(root):
    """Program -> PSS in kB (1024 bytes, as the kernel counts) of all its processes below ROOT."""
    found = {}
    for process in below(root):
        try:
            name = program_of(process)
            with open(f"/proc/{process}/smaps_rollup", encoding="ascii") as file:
                size = re.search(r"^Pss:\s+(\d+) kB", file.read(), re.M)
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
        if size:
            found[name] = found.get(name, 0) + int(size[1])
    missing = set(OURS) - set(found)
    if missing:
        raise RuntimeError(f"not found among the line's processes: {', '.join(sorted(missing))}")
    return found


def counted(sizes):
    return {name: size for name, size in sizes.items() if name not in ("nginx", "starter of make run")}
