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
    promises = judge.Promises()
    for entry in entries:
        if entry.what in (replay.SAY, replay.HEAR):
            promises.note(entry)
    assert sorted(kind for kind, _ in promises.made) == ["called", "called", "deleted", "handed out", "handed out", "mailed", "mailed", "received", "received", "sent", "sent"]


def test_no_cut_breaks_a_promise(run, entries, scratch):
    verdict = judge.judge_run(run, entries, scratch)
    print(verdict)
    assert verdict.complaints == {}
    assert verdict.cuts > 500 and verdict.distinct > 2000, verdict
