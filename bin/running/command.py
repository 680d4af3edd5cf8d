"""RUN_DIR/faxline: the program `faxline`, with the settings, paths and account of the line on that folder."""
import json
import os
import shutil

from running import house
from running.line import program_environment
from running.settings import Stop

LARGEST = 128 << 20


class Kept:
    """The settings as they were written down."""

    def __init__(self, values):
        self.values = values

    def __getitem__(self, name):
        return self.values[name]


def read(run_dir):
    try:
        with open(f"{run_dir}/line.json", encoding="utf-8") as file:
            return json.load(file)
    except PermissionError:
        raise Stop(77, f"{run_dir} belongs to another account: only that one and root may use its line.") from None
    except (OSError, ValueError):
        raise Stop(69, f"{run_dir} has no line: start one with make run.") from None


def enter_own_space(uid, gid):
    house.unshare(house.CLONE_NEWUSER | house.CLONE_NEWNS)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


def readable(binding, words, uid, gid):
    """As root: the files that the command is given may be root's alone. It gets copies, in memory, gone when it ends; what
    they are called outside is in BINDING from then on."""
    given = words[1:] if words[:1] in (["send"], ["receive"]) else words[2:] if words[:2] == ["user", "import"] else []
    kept = words[: len(words) - len(given)]
    for number, word in enumerate(given):
        if not word.startswith("-") and os.path.isfile(word) and os.path.getsize(word) <= LARGEST:
            folder = f"{binding.place}/file{number}"
            copy = f"{folder}/{os.path.basename(word)}"
            os.mkdir(folder)
            shutil.copyfile(word, copy)
            for path in (folder, copy):
                os.chown(path, uid, gid)
            binding.bound[word] = copy
            word = copy
        kept.append(word)
    return kept


def run(folder, words):
    run_dir = os.path.realpath(folder)
    line = read(run_dir)
    uid, gid, build, settings = line["uid"], line["gid"], line["build"], Kept(line["settings"])
    if os.getuid() not in (0, uid):
        raise Stop(77, f"{run_dir} belongs to another account: only that one and root may use its line.")
    if not os.access(f"{build}/bin/faxline", os.X_OK):
        raise Stop(69, f"{build}/bin/faxline is not there: `make` builds it.")
    binding = house.Binding()
    try:
        if os.getuid():
            enter_own_space(uid, gid)
        else:
            house.unshare(house.CLONE_NEWNS)
        house.bind_line(binding, build, run_dir, settings, uid, gid)
    except house.Refused as refused:
        raise Stop(69, house.CURE.format(refused)) from None
    environment = program_environment(binding, run_dir, settings.values)
    environment |= {name: os.environ[name] for name in ("TERM", "COLUMNS", "LINES") if name in os.environ}
    # A backup may be written where only root may; a restore gives each file to its owner.
    if os.getuid() == 0 and words[:1] not in (["backup"], ["restore"]):
        words = readable(binding, words, uid, gid)
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    environment["FAXLINE_REAL_PATHS"] = "".join(f"{target}\n{source}\n" for source, target in binding.bound.items() if source != target and "\n" not in source)
    os.execve(f"{binding.path(build)}/bin/faxline", ["faxline", *words], environment)
