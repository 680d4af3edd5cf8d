"""Power cuts, simulated: whatever a cut at any moment leaves, no promise is broken (power_cut/)."""
import os
import subprocess
import sys

import pytest

from line import BUILD, ROOT

sys.path[:0] = [f"{ROOT}/test/power_cut", f"{ROOT}/test/support"]
import judge  # noqa: E402
import replay  # noqa: E402
import run as recorded_run  # noqa: E402


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A real run of the programs, recorded; it is over."""
    recorder = os.path.join(ROOT, BUILD, "test/recorder.so")
    subprocess.run(["make", "--no-print-directory", f"BUILD={BUILD}", recorder if os.path.isabs(BUILD) else f"{BUILD}/test/recorder.so"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return recorded_run.record(os.path.join(ROOT, BUILD), recorder, tmp_path_factory.mktemp("power-cut"))


@pytest.fixture(scope="module")
def entries(run):
    return replay.read_log(run.log)


@pytest.fixture
def scratch(tmp_path):
    """For the databases that are opened: in memory, where there is such a folder."""
    import tempfile
    with tempfile.TemporaryDirectory(prefix="faxline-cut-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else tmp_path) as folder:
        yield folder


def test_the_recorder_has_missed_nothing(run, entries):
    _, disk = judge.whole_files(entries, run)
    there = {os.path.join(folder, name) for top in run.folders for folder, _, names in os.walk(top) for name in names}
    assert there == {path for path, file in disk.live.items() if not file.is_folder}
    for path in there:
        with open(path, "rb") as file:
            assert file.read() == bytes(disk.live[path].live), path
    promises, heard = judge.Promises(run.erased), set()
    for entry in entries:
        if entry.what in (replay.SAY, replay.HEAR):
            promises.note(entry)
            heard |= set(promises.made)
    # How many of the sent faxes' ends were told when it was stopped is a matter of seconds; one was.
    notices = {os.path.basename(path) for path in there if path.startswith(run.maildir) and b"\nX-Faxline: notice" in disk.live[path].live}
    assert notices and {("mailed", name) for name in notices} <= heard
    assert sorted(kind for kind, what in heard if what not in notices) == sorted(["sent", "called", "handed out"] * 3 + ["received", "mailed", "erased"] * 2 + ["deleted", "kept"])


def test_no_cut_breaks_a_promise(run, entries, scratch, tmp_path):
    listed = []

    def ask_the_program(outcome, promised):
        folder = tmp_path / f"outcome-{len(listed)}"
        folder.mkdir()
        found = recorded_run.list_after(run, outcome, str(folder))
        missing = {what for kind, what in promised if kind in ("sent", "received")} - found
        assert not missing, f"faxline list has lost {missing}"
        listed.append(found)

    verdict = judge.judge_run(run, entries, scratch, sample=ask_the_program)
    print(verdict)
    assert len(listed) >= 5 and any(listed)
    assert verdict.complaints == {}
    assert verdict.cuts > 500 and verdict.distinct > 2000, verdict


# Each sync of ours, by what it makes durable; without it the judge has to complain, and of what.
FORGOTTEN = {
    "a document's bytes": (lambda run, entry: os.path.dirname(entry.path) == f"{run.state}/spool/tmp", "half a file under a final name"),
    "a document's name": (lambda run, entry: entry.path == f"{run.state}/spool", "the spool has not"),
    "a copy's bytes": (lambda run, entry: os.path.dirname(entry.path) == f"{run.state}/handout", "half a file under a final name"),
    "a copy's name": (lambda run, entry: entry.path == f"{run.state}/handout", "its copy is not there"),
    "a mail's bytes": (lambda run, entry: os.path.dirname(entry.path) == f"{run.maildir}/tmp", "half a file under a final name"),
    "a mail's name": (lambda run, entry: entry.path == f"{run.maildir}/new", "and is lost"),
    "the book's log": (lambda run, entry: entry.path.endswith(".db-wal"), ""),
    "the book itself": (lambda run, entry: entry.path.endswith(".db"), ""),
    "the book's name": (lambda run, entry: entry.path == f"{run.state}/db", ""),
    "all of the book (synchronous=OFF)": (lambda run, entry: entry.path.startswith(f"{run.state}/db"), ""),
}


@pytest.mark.parametrize("what", FORGOTTEN)
def test_a_forgotten_sync_is_found(run, entries, scratch, what):
    is_it, words = FORGOTTEN[what]
    assert any(entry.what == replay.SYNCED and is_it(run, entry) for entry in entries), "the run has no such sync"
    verdict = judge.judge_run(run, entries, scratch, drops=lambda entry: is_it(run, entry), until=[words])
    assert any(words in complaint for _, complaint in verdict.complaints.values()), verdict


def test_an_answer_before_the_commit_is_found(run, entries, scratch):
    words = ["was accepted, and is lost", "is neither stored nor to be fetched", "the book knows of no such attempt", "was handed out, and the book does not know", "was called delivered, and is lost"]
    said = " ".join(complaint for _, complaint in judge.judge_run(run, judge.early(entries), scratch, until=words).complaints.values())
    assert [part for part in words if part not in said] == []
