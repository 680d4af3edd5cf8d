"""`faxline restore`, cut off by SIGKILL at each of its steps: the line does not start before it was repeated, repeating it
completes it, and what was there before is kept beside. `faxline backup` at each of its steps: repeating it makes it whole. On
SQLite and on PostgreSQL; several lines at once."""
import concurrent.futures
import contextlib
import glob
import os
import queue
import re
import socket
import subprocess
import traceback

import pytest

from crash_stories import document
from ledger_provider import LedgerProvider
from line import ROOT, wait_until
from short_line import DAEMONS, FASTCGI, Databases, ShortLine, program

LINES = 2  # of each kind of database
DATABASES = {"sqlite": contextlib.nullcontext, "postgresql": lambda: contextlib.closing(Databases())}
PARTS = ("", ".2", ".3")  # db, people and spool, or the other way round
STAGED = ["restore.stage.begun", "restore.stage.people_copied", "restore.stage.documents_copied", "restore.stage.synced"]
PLACED = [f"{point}{part}" for point in ("restore.place.moved_beside", "restore.place.moved_in") for part in PARTS] + ["restore.place.synced"]
LOADED = ["restore.load.people_kept", "restore.load.people_loaded", "restore.load.faxes_kept", "restore.load.faxes_loaded"]
CASES = {"sqlite": STAGED + PLACED + ["restore.book.taken_over", "restore.place.ended"], "postgresql": STAGED + PLACED + LOADED + ["restore.book.taken_over", "restore.place.ended"]}
BACKUP = ["backup.folder.begun", "backup.databases.copied", "backup.documents.copied", "backup.folder.filled", "backup.folder.renamed"]
ALL = [(kind, point) for kind, points in CASES.items() for point in BACKUP + points]


def points_in_the_code(name):
    with open(f"{ROOT}/lib/command/{name}.cc", encoding="utf-8") as file:
        return re.findall(r'FAIL_POINT\("([^"]+)"\)', file.read())


def table():
    with open(f"{ROOT}/lib/command/README.md", encoding="utf-8") as file:
        return dict(re.findall(r"^\| `(restore\.[a-z_]+\.[a-z_]+)` \| [^|]+ \| (always|PostgreSQL) \|$", file.read(), re.M))


class Copied:
    """A line with a backup: one fax came in, one is delivered, one is at the provider."""

    def __init__(self, databases):
        self.provider = LedgerProvider()
        self.house = ShortLine(self.provider, databases).start()
        self.backup, self.later = f"{self.house.folder}/backup", 0
        self.provider.modes["+12125550003"] = "hold"
        sid = self.provider.receive("+12125550001", document("+12125550001"), "url", True)
        self.delivered, self.open = (self.house.send(number, document(number), until) for number, until in (("+12125550002", "delivered"), ("+12125550003", "sending")))
        wait_until(lambda: self.house.mails(sid), 30)
        wait_until(lambda: sid in self.provider.deleted, 30)
        self.provider.falls_silent()
        wait_until(lambda: not self.house.untold(), 30)
        self.house.command("backup", self.backup)
        self.before = self.everything()

    def everything(self):
        """Id -> what the book says of it, and its document."""
        faxes = self.house.insist("GET", "/api/faxes", params={"limit": 200}).json()["faxes"]
        return {fax["id"]: ({**fax, "updated": ""}, self.house.insist("GET", f"/api/faxes/{fax['id']}/document.pdf").content) for fax in faxes}

    def restore(self, *words):
        return self.house.run_command("restore", self.backup, *words)

    def cut_off_backup(self, point):
        """The same words again make it whole, and the line knows nothing of it."""
        folder = f"{self.house.folder}/backup-{point}"
        self.house.arm(point, alone=True)
        killed = self.house.run_command("backup", folder)
        assert killed.returncode == -9 and self.house.fired(point), killed
        self.house.disarm()
        again = self.house.run_command("backup", folder)
        if point == "backup.folder.renamed":
            assert again.returncode != 0 and "is there already" in again.stderr, again
        else:
            assert again.returncode == 0, again.stderr
        assert not os.path.exists(folder + ".partial")
        subprocess.run(["sha256sum", "--quiet", "--strict", "--check", "manifest"], cwd=folder, check=True)
        with open(f"{folder}/manifest", encoding="utf-8") as manifest, open(f"{self.backup}/manifest", encoding="utf-8") as first:
            names, expected = ({line.split("  ", 1)[1] for line in file if not line.startswith("#")} for file in (manifest, first))
        assert names >= expected, "it has all that the first one has"
        assert {name: self.everything()[name] for name in self.before} == self.before

    def judge_stopped(self):
        for name in (*DAEMONS, *FASTCGI):
            with socket.socket(socket.AF_UNIX) as listener:  # as spawn-fcgi hands it on
                listener.bind(f"{self.house.folder}/socket/of-{name}.sock")
                listener.listen()
                done = subprocess.run([program(name)], env=self.house.environment, cwd="/", stdin=listener, capture_output=True, text=True, timeout=10, check=False)
            os.remove(f"{self.house.folder}/socket/of-{name}.sock")
            assert done.returncode == 78 and "repeat `faxline restore`" in done.stderr, f"{name}: {done.returncode} {done.stderr}"

    def kept_beside(self):
        """Names and content of the documents that a restore has moved away."""
        return {os.path.basename(path): open(path, "rb").read() for path in glob.glob(f"{self.house.folder}/state/before-restore-*/spool/*") if os.path.isfile(path)}

    def cut_off(self, point):
        house = self.house
        self.later += 1
        later = house.send(f"+121255501{self.later:02d}", document(f"+121255501{self.later:02d}"), "delivered")  # what the copy does not know
        bytes_of_later = house.insist("GET", f"/api/faxes/{later}/document.pdf").content
        name = next(name for name in house.files("state/spool") if open(f"{house.folder}/state/spool/{name}", "rb").read() == bytes_of_later)
        self.provider.falls_silent()
        house.kill()
        house.arm(*([point] if not re.search(r"\.\d$", point) else [point[:-2], int(point[-1])]))
        killed = self.restore("--replace")
        assert killed.returncode == -9 and house.fired(re.sub(r"\.\d$", "", point)), killed
        house.disarm()
        if point == "restore.place.ended":
            again = self.restore()
            assert again.returncode == 65 and "--replace" in again.stderr, "it was done"
        else:
            self.judge_stopped()
            again = self.restore()
            assert again.returncode == 0, again.stderr
        assert self.kept_beside()[name] == bytes_of_later
        house.start()
        after = self.everything()
        assert later not in after and set(after) == set(self.before)
        assert {fax: after[fax] for fax in after if fax != self.open} == {fax: self.before[fax] for fax in after if fax != self.open}
        unresolved = house.fax(self.open)
        assert unresolved["status"] == "unresolved" and unresolved["cause"]["code"] == "restored", unresolved
        assert [event["what"] for event in unresolved["events"]].count("Restored from a backup") == 1

    def close(self):
        self.house.close()
        self.provider.close()


class Copies:
    """Cases on one kind of database."""

    def __init__(self, kind, cases):
        self.kind, self.work, self.wrong = kind, queue.Queue(), {}
        for case in cases:
            self.work.put(case)

    def one_line(self, databases):
        copied = None
        while True:
            try:
                point = self.work.get_nowait()
            except queue.Empty:
                break
            try:
                copied = copied or Copied(databases)
                (copied.cut_off_backup if point in BACKUP else copied.cut_off)(point)
            except Exception:  # pylint: disable=broad-except  # told by the case's own test
                self.wrong[point] = traceback.format_exc() + (copied.house.log("faxline-queue") if copied else "")
                if copied:
                    copied.close()
                copied = None
        if copied:
            copied.close()

    def run(self):
        with DATABASES[self.kind]() as databases, concurrent.futures.ThreadPoolExecutor(LINES) as pool:
            list(pool.map(self.one_line, [databases] * LINES))
        return self


@pytest.fixture(scope="module")
def copies(request):
    wanted = {}
    for item in request.session.items:
        if item.path == request.path and "copies" in item.fixturenames:
            wanted.setdefault(item.callspec.params["kind"], []).append(item.callspec.params["point"])
    with concurrent.futures.ThreadPoolExecutor(len(wanted)) as pool:
        return dict(zip(wanted, pool.map(lambda kind: Copies(kind, wanted[kind]).run(), wanted)))


@pytest.mark.parametrize(("kind", "point"), ALL)
def test_a_copy_that_is_cut_off(copies, kind, point):
    assert point not in copies[kind].wrong, copies[kind].wrong[point]


def test_each_point_has_its_row_and_its_case():
    with open(f"{ROOT}/lib/command/README.md", encoding="utf-8") as file:
        assert sorted(points_in_the_code("backup")) == sorted(BACKUP) and BACKUP == re.findall(r"^\| `(backup\.[a-z_.]+)` \| [^|]+ \|$", file.read(), re.M)
    code = points_in_the_code("restore")
    cases = {kind: {re.sub(r"\.\d$", "", point) for point in points} for kind, points in CASES.items()}
    assert len(code) == len(set(code)) and set(code) == set(table())
    assert cases["postgresql"] == set(code) and cases["sqlite"] == {point for point, of in table().items() if of == "always"}
