"""Every durable step of both directions, cut off by SIGKILL, and everything else with it; then all is started again. No
fax that was acknowledged is lost, none goes out twice, none comes in twice, and nothing is left lying about.

The points are in the code (lib/core/fail_point.h), what a kill at each leaves is a table in lib/queue/README.md; both are
held to the cases here. Each case runs on a real line, several lines at once, judged from outside."""
import concurrent.futures
import contextlib
import glob
import os
import queue
import re
import time
import traceback

import pytest

from crash_stories import Canceled, CanceledWhileWaiting, Deleted, Received, Repeated, Restarted, Sent, Settled, ToldLate
from house_stories import ClockSet, Forgotten, JournalOutlived, Littered, MailboxBack, MailboxGone, NoRoom, Outlived, RecordOutlived, Replayed, Tells, TellsLater, TellsNever
from ledger_provider import LedgerProvider
from line import BUILD, ROOT, wait_until
from short_line import READERS, Databases, ShortLine
from told import Told

LINES = 8  # of each kind of database; most of the time they wait
DATABASES = {"sqlite": contextlib.nullcontext, "postgresql": lambda: contextlib.closing(Databases())}

STORIES = {
    "send": Sent, "send two": lambda *h: Sent(*h, files=2), "slow": lambda *h: Sent(*h, "slow"), "busy": lambda *h: Sent(*h, "busy", most_calls=3),
    "quiet": lambda *h: Sent(*h, "quiet"), "refuse": lambda *h: Sent(*h, "refuse", status="failed", out=0), "limit": lambda *h: Sent(*h, "limit", most_calls=3),
    "drop": lambda *h: Sent(*h, "drop", most_calls=3), "lose": lambda *h: Sent(*h, "lose", most_calls=1), "lose quietly": lambda *h: Sent(*h, "lose quiet", most_calls=1),
    "forget": lambda *h: Sent(*h, "forget", status="unresolved", out=0, most_calls=1), "repeat": Repeated, "cancel": Canceled, "cancel waiting": CanceledWhileWaiting,
    "settle": Settled, "told late": lambda *h: ToldLate(*h), "delete": Deleted, "restart": Restarted, "outlive": Outlived,
    "receive": Received, "receive late": lambda *h: Received(*h, "url late"), "receive whole": lambda *h: Received(*h, "multipart"), "receive twice": lambda *h: Received(*h, "twice"),
    "receive once": lambda *h: Received(*h, "url", repeats=False), "receive whole once": lambda *h: Received(*h, "multipart", repeats=False),
    "receive failed": lambda *h: Received(*h, "failed", status="failed"), "receive bare": lambda *h: Received(*h, "bare"), "receive bare once": lambda *h: Received(*h, "bare", repeats=False),
    "receive unknown": lambda *h: Received(*h, "unknown", status="failed"), "find": lambda *h: Received(*h, "silent"), "find failed": lambda *h: Received(*h, "silent failed", status="receiving"),
    "replay": Replayed, "tell": Tells, "tell who refuses": TellsLater, "tell who is away": lambda *h: TellsLater(*h, 503), "tell nobody": TellsNever, "forget notices": Forgotten,
    "outlive record": RecordOutlived, "outlive journal": JournalOutlived, "littered": Littered, "mailbox gone": MailboxGone, "mailbox back": MailboxBack, "no room": NoRoom,
    "clock forward": lambda *h: ClockSet(*h, 3), "clock back": lambda *h: ClockSet(*h, -3),
}  # fmt: skip

# The point, and the stories in which it is reached; "story/3": the third time.
CASES = {
    "spool.write.written": ["send", "receive whole", "receive whole once"],
    "spool.commit.synced": ["send", "receive", "receive whole", "send two/3"],
    "spool.commit.linked": ["send", "receive", "receive whole", "receive whole once", "send two/3"],
    "spool.commit.folder_synced": ["send", "receive", "receive whole", "send two/3"],
    "spool.hand_out.copied": ["send"],
    "spool.hand_out.synced": ["send"],
    "spool.hand_out.renamed": ["send"],
    "send.keep.committed": ["send", "send two/2"],
    "send.keep.added": ["send", "send two/2"],
    "send.accept.committed": ["send", "repeat"],
    "send.accept.woken": ["send", "repeat"],
    "send.discard.removed": ["repeat"],
    "send.discard.forgotten": ["repeat"],
    "send.cancel.committed": ["cancel"],
    "send.settle.committed": ["settle"],
    "inbox.remove.forgotten": ["delete"],
    "inbound.initialize.hinted": ["receive"],
    "inbound.store.committed": ["receive whole", "receive whole once", "receive twice/2"],
    "inbound.store.recorded": ["receive", "receive once", "receive whole", "receive whole once", "receive twice/2", "receive failed"],
    "inbound.store.woken": ["receive", "receive once", "receive whole", "receive whole once", "receive failed"],
    "inbound.ask_provider.noted": ["receive bare", "receive bare once"],
    "inbound.callback.noted": ["send"],
    "media.hand_out.asked": ["send", "quiet"],
    "media.hand_out.committed": ["send", "quiet"],
    "queue.run.claimed": ["send", "receive"],
    "queue.run.stepped": ["send", "receive"],
    "queue.run.released": ["send", "receive"],
    "queue.hint.noted": ["receive"],
    "queue.prepare.moved": ["send"],
    "queue.examine.looked": ["send", "receive whole"],
    "queue.examine.saved": ["send", "receive whole", "send two/2"],
    "queue.join.joined": ["send two"],
    "queue.join.committed": ["send two"],
    "queue.join.added": ["send two"],
    "queue.prepare.named": ["send"],
    "queue.submit.copied": ["send"],
    "queue.submit.intent_written": ["send", "quiet"],
    "queue.submit.answered": ["send", "quiet", "refuse", "limit", "drop", "lose", "busy/2"],
    "queue.taken.id_written": ["send", "quiet"],
    "queue.taken.hold_ended": ["send"],
    "queue.taken.moved": ["send", "quiet"],
    "queue.hold.set": ["limit"],
    "queue.not_sent.voided": ["limit"],
    "queue.not_sent.moved": ["limit"],
    "queue.refused.hold_shortened": ["refuse"],
    "queue.refused.moved": ["refuse"],
    "queue.unknown.recorded": ["drop", "lose"],
    "queue.unknown.moved": ["drop", "lose"],
    "queue.fence.voided": ["drop"],
    "queue.fence.taken_back": ["drop"],
    "queue.safe_again.moved": ["drop"],
    "queue.look.recorded": ["forget"],
    "queue.look.moved": ["forget", "forget/2"],
    "queue.adopt.id_written": ["lose", "lose quietly"],
    "queue.adopt.moved": ["lose", "lose quietly"],
    "queue.late.id_written": ["told late"],
    "queue.follow.polled": ["slow"],
    "queue.end_attempt.ended": ["send", "busy", "refuse", "limit"],
    "queue.end_attempt.taken_back": ["send", "busy", "refuse", "limit"],
    "queue.apply.moved": ["send", "busy", "told late"],
    "queue.cancel.answered": ["cancel"],
    "queue.cancel.noted": ["cancel"],
    "queue.cancel.moved": ["cancel waiting"],
    "queue.ask_for_media.moved": ["receive bare"],
    "queue.give_up.moved": ["receive unknown"],
    "queue.fetch.put_off": ["receive late"],
    "queue.fetch.downloaded": ["receive"],
    "queue.fetch.committed": ["receive"],
    "queue.fetch.recorded": ["receive"],
    "queue.deliver.composed": ["receive", "receive whole"],
    "queue.deliver.name_recorded": ["receive"],
    "queue.deliver.handed_over": ["receive", "receive whole"],
    "queue.deliver.recorded": ["receive"],
    "queue.deliver.noted": ["receive", "receive whole"],
    "queue.deliver.put_off": ["mailbox gone"],
    "command.replay.committed": ["replay"],
    "command.replay.woken": ["replay"],
    "notice.maildir.name_recorded": ["receive failed"],
    "notice.maildir.handed_over": ["receive failed"],
    "notice.smtp.taken": ["tell"],
    "notice.webhook.taken": ["tell"],
    "notice.command.ended": ["tell"],
    "notice.outbox.shared_out": ["tell"],
    "notice.outbox.claimed": ["tell", "tell/2"],
    "notice.outbox.noted": ["tell", "tell/2"],
    "notice.outbox.put_off": ["tell who refuses"],
    "notice.outbox.hastened": ["tell who is away"],
    "notice.outbox.given_up": ["tell nobody"],
    "notice.outbox.forgotten": ["forget notices"],
    "notice.outbox.other_ways_dropped": ["restart"],
    "queue.delete_media.deleted": ["receive"],
    "queue.delete_media.noted": ["receive"],
    "queue.reconcile.recorded": ["find"],
    "queue.reconcile.noted": ["find failed"],
    "queue.reconcile.remembered": ["restart"],
    "queue.reconcile.compared": ["find"],
    "queue.purge.forgotten": ["outlive"],
    "queue.purge.removed": ["outlive"],
    "queue.purge.record_removed": ["outlive record"],
    "queue.purge.attempts_forgotten": ["restart"],
    "queue.purge.journal_trimmed": ["outlive journal"],
    "queue.purge.copy_taken_back": ["littered"],
    "queue.purge.stranger_removed": ["littered"],
    "queue.purge.temporary_removed": ["littered"],
    "queue.clock.set_forward": ["clock forward"],
    "queue.clock.set_back": ["clock back"],
    "queue.clock.state_noted": ["restart"],
    "queue.clock.overdue_woken": ["restart"],
    "queue.clock.kept": ["restart"],
    "queue.watch.beaten": ["restart"],
    "queue.watch.measured": ["restart"],
    "queue.watch.trouble_noted": ["mailbox gone"],
    "queue.watch.trouble_ended": ["mailbox back"],
    "queue.watch.hurried": ["mailbox back"],
    "queue.watch.disk_waited_for": ["no room"],
    "maildir.serve.asked": ["receive", "receive failed"],
    "maildir.serve.delivered": ["receive", "receive failed"],
    "maildir.deliver.written": ["receive"],
    "maildir.deliver.synced": ["receive"],
    "maildir.deliver.linked": ["receive"],
    "maildir.deliver.folder_synced": ["receive"],
}
ALL = [f"{point} {story}" for point, stories in CASES.items() for story in stories]


def points_in_the_code():
    """But for those of a backup and a restore (test_crash_copy.py)."""
    found = []
    for path in sorted(set(glob.glob(f"{ROOT}/lib/*/*.cc")) - {f"{ROOT}/lib/command/{name}.cc" for name in ("backup", "restore")}):
        with open(path, encoding="utf-8") as file:
            found += re.findall(r'FAIL_POINT\("([^"]+)"\)', file.read())
    return found


def table():
    """Point -> the states that its row names, from lib/queue/README.md."""
    with open(f"{ROOT}/lib/queue/README.md", encoding="utf-8") as file:
        rows = re.findall(r"^\| `([a-z_]+\.[a-z_]+\.[a-z_]+)` \| [^|]+ \| ([^|]+) \| [^|]+ \|$", file.read(), re.M)
    return {point: set(re.findall(r"`(\w+)`|(no fax)", states)) for point, states in rows}


def states(point):
    return {state or none for state, none in table()[point]}


# --- running the cases ---
def cut_off(house, case, number):
    """One case: what is wrong; nothing if all is well. And what the book said when all was dead."""
    point, _, rest = case.partition(" ")
    name, _, passes = rest.partition("/")
    story = STORIES[name](house, number)
    # What the story before began must not reach the point for this one, nor what leads to it.
    wait_until(lambda: not house.untold(), 30)
    story.prepare()
    wait_until(lambda: not house.untold(), 30)
    house.arm(point, int(passes or 1))
    story.begin()
    wait_until(lambda: house.fired(point), 30, 0.02)
    house.kill()
    house.disarm()
    house.start(READERS)
    found = {fax["status"] for fax in house.faxes(number)} or {"no fax"}
    house.start()
    story.end()
    story.judge()
    house.provider.falls_silent()
    return found


def leaves_nothing(house):
    """When its time is over nothing is there that the book does not know."""
    house.kill()
    house.sql("UPDATE faxes SET final_ms = 1000 WHERE final_ms IS NOT NULL")  # an unresolved one's copy is kept until then
    for folder in ("state/spool", "state/spool/tmp", "state/handout", "Maildir/tmp"):
        house.age(folder, 48)
    house.start()
    left = lambda: [f"{folder}/{name}" for folder in ("state/spool/tmp", "state/handout", "Maildir/tmp") for name in house.files(folder)]  # noqa: E731
    unknown = lambda: [name for name in house.files("state/spool") if house.insist("GET", f"/api/documents/{name}").status_code == 404]  # noqa: E731
    try:
        wait_until(lambda: not left() and not unknown(), 20)
    except AssertionError as error:
        raise AssertionError(f"left: {left()}, unknown to the book: {unknown()}") from error
    faxes = house.insist("GET", "/api/faxes", params={"limit": 200}).json()["faxes"]
    stuck = [fax for fax in faxes if not fax["final"] and fax["status"] != "receiving"]
    assert not stuck, stuck


def is_quick(case):
    """The others wait for ten seconds and more: they come first, so that no line is left alone with them."""
    return not re.search(r"forget|settle|told|drop|waiting|put_off|maildir|submit.answered|limit|refuse|away|nobody|mailbox", case)


class Matrix:
    """Cases on one kind of database, on several lines that share the work."""

    def __init__(self, kind, cases):
        self.kind, self.work, self.found, self.wrong, self.seconds = kind, queue.Queue(), {}, {}, {}
        for case in sorted(cases, key=is_quick):
            self.work.put((case, f"+1212555{ALL.index(case):04d}"))

    def one_line(self, index, databases):
        provider, told = LedgerProvider(), Told()
        house = None

        def new():
            line = ShortLine(provider, databases, CHECK_SECONDS="5", RECORD_RETENTION_DAYS="1", **told.settings).start()
            line.told, told.hook.status = told, 204
            return line

        try:
            house = new()
            while True:
                try:
                    case, number = self.work.get_nowait()
                except queue.Empty:
                    break
                begun = time.monotonic()
                try:
                    self.found[case] = cut_off(house, case, number)
                except Exception:  # pylint: disable=broad-except  # told by the case's own test
                    self.wrong[case] = traceback.format_exc() + "".join(f"--- {name}\n{house.log(name)}" for name in ("faxline-queue", "send", "inbound", "media", "faxline-deliver", "access", "error"))
                    house.close()
                    house = new()
                self.seconds[case] = time.monotonic() - begun
            try:
                leaves_nothing(house)
            except Exception:  # pylint: disable=broad-except
                self.wrong[f"line {index}"] = traceback.format_exc()
        finally:
            if house:
                house.close()
            provider.close()
            told.close()

    def run(self):
        with DATABASES[self.kind]() as databases, concurrent.futures.ThreadPoolExecutor(LINES) as pool:
            list(pool.map(self.one_line, range(LINES), [databases] * LINES))
        return self


@pytest.fixture(scope="module")
def matrices(request):
    """Those that are asked for, all at the same time: they wait for the same things."""
    wanted = {}
    for item in request.session.items:
        if item.path == request.path and "matrix" in item.fixturenames:
            wanted.setdefault(item.callspec.params["matrix"], set()).update({item.callspec.params.get("case")} - {None})
    with concurrent.futures.ThreadPoolExecutor(len(wanted)) as pool:
        return dict(zip(wanted, pool.map(lambda kind: Matrix(kind, wanted[kind]).run(), wanted)))


@pytest.fixture(scope="module", params=DATABASES)
def matrix(request, matrices):
    return matrices[request.param]


@pytest.mark.parametrize("case", ALL)
def test_cut_off_and_started_again(matrix, case):
    assert case not in matrix.wrong, matrix.wrong[case]
    point = case.split()[0]
    assert matrix.found[case] <= states(point), f"the book says {matrix.found[case]}; the table of lib/queue/README.md says {states(point)}"


@pytest.mark.parametrize("index", range(LINES))
def test_nothing_is_left(matrix, index):
    assert f"line {index}" not in matrix.wrong, matrix.wrong[f"line {index}"]


def test_each_point_has_its_row_and_its_case():
    code = points_in_the_code()
    assert len(code) == len(set(code)), "two points have one name"
    assert set(code) == set(CASES) == set(table())


def test_the_programs_that_people_run_have_no_such_point():
    built = os.path.join(ROOT, BUILD)
    programs = [path for folder in ("cgi-bin", "bin") for path in glob.glob(f"{built}/{folder}/*")]
    assert len(programs) >= 10
    for path in programs:
        with open(path, "rb") as file:
            text = file.read()
        assert not [point for point in CASES if point.encode() in text] and b"FAXLINE_FAIL_POINT" not in text, path
    with open(f"{built}/fail/bin/faxline-queue", "rb") as file:
        assert b"queue.submit.intent_written" in file.read()
