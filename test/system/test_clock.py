"""The real programs under a clock that is set (lib/queue/README.md, "The clock"), with faxes in each state that waits: by an
hour and by a month, forward and back, while they run and while the queue is down; wrong at the machine's start, and put right
later. Nothing ends and nothing is removed by a clock that is not believed, and nothing waits longer than was meant. When the
time has really gone by, FAX_DEADLINE ends whatever is open, and the person is told."""
import concurrent.futures
import os
import struct
import subprocess
import tempfile
import time
import traceback

import pytest

from crash_stories import document
from ledger_provider import LedgerProvider
from line import BUILD, ROOT, wait_until
from short_line import ShortLine
from told import Told

HOUR, DAY = 3600, 24 * 3600
DEADLINE = 72 * HOUR
DONE, SENDING, CHECKING, BUSY, HELD, FETCHING, RECEIVING = (f"+1212555000{digit}" for digit in range(1, 8))
HANGING, UNFETCHED, QUEUED = "+12125550011", "+12125550012", "+12125550013"


def moved_clock():
    """The library that is preloaded (moved_clock.c), made if it is not."""
    path = os.path.join(ROOT, BUILD, "test/moved_clock.so")
    subprocess.run(["make", "--no-print-directory", f"BUILD={BUILD}", path if os.path.isabs(BUILD) else f"{BUILD}/test/moved_clock.so"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return path


class Machine(ShortLine):
    """A line whose clock is the test's."""

    def __init__(self, provider, library, **settings):
        self.numbers = tempfile.NamedTemporaryFile(prefix="faxline-clock-")  # pylint: disable=consider-using-with
        self.ahead, self.up, self.kept_right = 0, 0, True
        self.turn()
        super().__init__(provider, LD_PRELOAD=library, FAXLINE_MOVED_CLOCK=self.numbers.name, RETRY_SECONDS="1800", CHECK_SECONDS="7200", RETENTION_DAYS="7", RECONCILE_SECONDS="86400", **settings)

    def turn(self):
        """In one write: who looks in between would see a clock that was set."""
        os.pwrite(self.numbers.fileno(), struct.pack("=qqq", int(self.ahead * 1000), int(self.up * 1000), self.kept_right), 0)

    def set_clock(self, seconds):
        self.ahead += seconds
        self.turn()

    def let_pass(self, seconds):
        """As a machine that slept: the time goes by, and nobody has set anything."""
        self.ahead += seconds
        self.up += seconds
        self.turn()

    def fail_and_boot(self, ahead):
        """The power is gone; the machine starts with a clock that is wrong by so much, and nobody has told it the time."""
        self.kill()
        self.ahead, self.up, self.kept_right = ahead, 60 - time.clock_gettime(time.CLOCK_BOOTTIME), False
        self.turn()
        self.start()

    def now(self):
        return time.time() + self.ahead

    def sweep(self):
        """Returns when the queue has looked at its clock, and at all that it would do by it: the second answer comes after a
        whole round."""
        for _ in range(2):
            self.command("reconcile")

    def fact(self, name):
        return self.sql(f"SELECT value FROM facts WHERE name = '{name}'")

    def deadlines(self):
        """Seconds from now."""
        return [int(row) / 1000 - self.now() for row in self.sql("SELECT deadline_ms FROM faxes WHERE final_ms IS NULL").split()]

    def told(self, number):
        """Subjects of the notices about the fax to or from a number."""
        return sorted(message["Subject"] for message in self.notices() if number in message["Subject"])

    def close(self):
        super().close()
        self.numbers.close()


class Waiting:
    """A line with a fax in each state that waits, and one that is done."""

    OPEN = {SENDING: "sending", CHECKING: "checking", BUSY: "waiting", HELD: "waiting", FETCHING: "fetching", RECEIVING: "receiving"}

    def __init__(self, library, held=True):
        self.provider, self.told = LedgerProvider(), Told()
        self.told.hook.status = 400  # it takes nothing yet: what it is to be told waits, too
        self.house = Machine(self.provider, library, **self.told.settings).start()
        try:
            self.begin(held)
        except BaseException:
            self.close()
            raise

    def begin(self, held):
        house, provider = self.house, self.provider
        provider.modes |= {SENDING: "hold", CHECKING: "forget", BUSY: "busy", HELD: "limit long"}
        self.sid = {number: provider.receive(number, document(number), how, True) for number, how in ((FETCHING, "url"), (RECEIVING, "announced"))}
        provider.withheld.add(self.sid[FETCHING])
        self.open = {number: status for number, status in self.OPEN.items() if held or number != HELD}
        self.id = {number: house.send(number, document(number), status) for number, status in ((DONE, "delivered"), *self.open.items()) if number not in self.sid}
        wait_until(lambda: self.states() == self.open, 30)
        provider.faxes[self.sid[FETCHING]]["status"] = "receiving"  # in the provider's list: else each comparison waits for it

    def states(self):
        found = {number: self.house.faxes(number) for number in self.open}
        return {number: faxes[0]["status"] if len(faxes) == 1 else len(faxes) for number, faxes in found.items()}

    def become(self, ends):
        try:
            wait_until(lambda: self.states() == ends, 40)
        except AssertionError as error:
            raise AssertionError(f"{self.states()}, not {ends}") from error

    def judge_untouched(self, due=()):
        """What is open is open, but for those whose next attempt is due now, and what is kept is kept."""
        states = self.states()
        assert {number: states[number] for number in states if number not in due} == {number: self.open[number] for number in states if number not in due}
        assert {states[number] for number in due} <= {"waiting", "submitting", "sending", "delivered"}, states
        assert self.house.ask("GET", f"/api/faxes/{self.id[DONE]}/document.pdf").status_code == 200

    def finish(self):
        """The other side goes on, and the longest wait that was meant goes by: then all of it is done, once."""
        for number in (SENDING, CHECKING):
            self.provider.tell_late(number)
        for sid in self.sid.values():
            self.provider.arrives(sid)
        # The account is free after 10 minutes; until one fax has tried it, the others wait for that, too.
        self.house.let_pass(700)
        wait_until(lambda: self.states()[HELD] == "delivered", 40)
        self.house.let_pass(0.6 * HOUR)
        ends = {number: "received" if number in self.sid else "delivered" for number in self.open}
        self.become(ends)
        wait_until(lambda: all(self.house.mails(sid) for sid in self.sid.values()), 20)
        self.tell_all()
        assert {number: len(self.provider.sent[number]) for number in self.id} == dict.fromkeys(self.id, 1)
        assert {number: len(calls) for number, calls in self.provider.calls.items()} == {number: 2 if number in (BUSY, HELD) else 1 for number in self.id}
        assert {number: len(self.house.mails(sid)) for number, sid in self.sid.items()} == dict.fromkeys(self.sid, 1)

    def tell_all(self):
        self.told.hook.status = 204
        self.house.let_pass(HOUR)  # between two tries
        wait_until(lambda: not self.house.untold(), 30)

    def close(self):
        self.house.close()
        self.provider.close()
        self.told.close()


def set_by(library, seconds, down=False):
    line = Waiting(library)
    house = line.house
    try:
        # Another machine, which is gone, had this one in its hands.
        house.sql(f"UPDATE faxes SET lease_owner = 'another machine', lease_until_ms = {int((house.now() + 1200) * 1000)} WHERE id = '{line.id[BUSY]}'")
        house.sweep()
        if down:
            house.kill(["faxline-queue"])
        house.set_clock(seconds)
        house.start()
        house.sweep()
        due = (BUSY, HELD) if seconds > 0 else (HELD,) if down else ()  # after a start one fax tries the account that was held
        line.judge_untouched(due)
        deadlines = house.deadlines()
        assert len(deadlines) >= 4 and max(deadlines) <= DEADLINE + 1 and (seconds < 0 or min(deadlines) > DEADLINE - 60), deadlines
        line.finish()
        if seconds > 7 * DAY:
            house.let_pass(25 * HOUR)
            wait_until(lambda: house.ask("GET", f"/api/faxes/{line.id[DONE]}/document.pdf").status_code == 404, 20)
    finally:
        line.close()
    return True


def wrong_at_the_start(library, seconds):
    line = Waiting(library)
    house = line.house
    try:
        house.sweep()
        house.fail_and_boot(seconds)
        house.sweep()
        due = (BUSY, HELD) if seconds > 0 else (HELD,)  # as above
        line.judge_untouched(due)
        assert house.fact("clock.state") == "waiting" and "deadlines and purge wait" in house.log("faxline-queue", 400)
        # It is told the time.
        house.ahead, house.kept_right = 0, True
        house.turn()
        house.sweep()
        assert house.fact("clock.state") == "synchronised"
        line.judge_untouched((BUSY, HELD))
        line.finish()
    finally:
        line.close()
    return True


def time_goes_by(library):
    line = Waiting(library, held=False)
    house, provider = line.house, line.provider
    try:
        house.sweep()
        house.let_pass(DEADLINE + HOUR)
        ends = {SENDING: "unresolved", CHECKING: "unresolved", BUSY: "failed", FETCHING: "failed", RECEIVING: "failed"}
        line.become(ends)
        house.sweep()  # for files have the kernel's time: to a purge that came after this, new ones would be three days old
        # And while the queue is down: in the middle of a call whose document is fetched, and is not; and before anything.
        provider.modes |= {HANGING: "hang", UNFETCHED: "hang unfetched"}
        for number in (HANGING, UNFETCHED):
            line.id[number] = house.send(number, document(number), "submitting")
        wait_until(lambda: provider.hanging == {HANGING, UNFETCHED}, 30)
        house.kill(["faxline-queue"])
        provider.hang_up.set()
        line.id[QUEUED] = house.send(QUEUED, document(QUEUED), "queued")
        house.let_pass(DEADLINE + HOUR)
        house.start(["faxline-queue"])
        ends |= {HANGING: "unresolved", UNFETCHED: "failed", QUEUED: "failed"}
        line.open |= ends
        line.become(ends)
        assert QUEUED not in provider.calls and provider.sent.keys() == {DONE}
        causes = {number: house.faxes(number)[0]["cause"]["code"] for number in ends}
        assert causes.pop(BUSY) in ("deadline_passed", "busy")  # until the provider's list is read, and after that
        assert causes == dict.fromkeys((SENDING, CHECKING, HANGING, FETCHING, RECEIVING), "deadline_passed") | dict.fromkeys((UNFETCHED, QUEUED), "never_submitted")
        # Each was told of, once.
        line.tell_all()
        assert {number: len(house.told(number)) for number in ends} == dict.fromkeys(ends, 1)
        # What is known later corrects it, and that is told, too.
        for number in (SENDING, CHECKING, HANGING):
            provider.tell_late(number)
        for sid in line.sid.values():
            provider.arrives(sid)
        house.command("reconcile", "--since", "30d", check=False)
        ends |= {number: "received" if number in line.sid else "delivered" for number in (SENDING, CHECKING, HANGING, FETCHING, RECEIVING)}
        line.become(ends)
        wait_until(lambda: house.faxes(BUSY)[0]["cause"]["code"] == "busy", 20)
        wait_until(lambda: not house.untold() and all(house.mails(sid) for sid in line.sid.values()), 30)
        for number in (SENDING, CHECKING, HANGING):
            assert [subject.startswith("Correction: ") for subject in house.told(number)] == [True, False], house.told(number)
    finally:
        line.close()
    return True


STORIES = {
    "an hour forward": (set_by, 61 * 60), "a month forward": (set_by, 30 * DAY), "an hour back": (set_by, -HOUR), "a month back": (set_by, -30 * DAY),
    "a month forward while it is down": (set_by, 30 * DAY, True), "a month back while it is down": (set_by, -30 * DAY, True),
    "ahead at the start": (wrong_at_the_start, 40 * DAY), "behind at the start": (wrong_at_the_start, -40 * DAY), "time goes by": (time_goes_by,),
}  # fmt: skip


@pytest.fixture(scope="module")
def stories(request):
    """Those that are asked for, at the same time: most of it they wait."""
    library, wanted = moved_clock(), [item.callspec.params["story"] for item in request.session.items if item.path == request.path]

    def run(name):
        what, *more = STORIES[name]
        try:
            return what(library, *more)
        except Exception:  # pylint: disable=broad-except  # told by the story's own test
            return traceback.format_exc()

    with concurrent.futures.ThreadPoolExecutor(len(wanted)) as pool:
        return dict(zip(wanted, pool.map(run, wanted)))


@pytest.mark.parametrize("story", STORIES)
def test_the_clock(stories, story):
    assert stories[story] is True, stories[story]
