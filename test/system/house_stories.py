"""What test_crash.py lets happen to the line itself while it kills: who is told of a fax, what is removed, what is wrong with
mailbox and disk, a clock that was set."""
import os
import secrets
import time

from crash_stories import PATIENCE, Prepared, Received, Restarted, Sent
from line import wait_until

HOUR_MS = 3_600_000


class Tells(Sent):
    """A fax ends, and its sender is told by each way: at least once, and by one id when it was twice."""

    most = 2  # cut off between "taken" and the note of it

    def end(self):
        super().end()
        wait_until(lambda: not self.house.untold(), PATIENCE)

    def judge(self):
        super().judge()
        fax_id = self.only_fax()["id"]
        told = {**self.house.told.of(fax_id), "maildir": [message["Message-ID"].split(".")[1].split("@")[0] for message in self.house.notices() if f"/fax/{fax_id}" in message.as_string()]}
        assert len(told["maildir"]) == 1, "its file name is in the book before it is delivered"
        assert set(map(len, map(set, told.values()))) == {1} and len({ids[0] for ids in told.values()}) == 1, told
        assert all(len(ids) <= self.most for ids in told.values()), told


class TellsLater(Tells):
    """The webhook takes nothing at first: it says why (400), or is away (503)."""

    def __init__(self, house, number, answer=400):
        super().__init__(house, number)
        self.first_answer, self.most = answer, 5

    def prepare(self):
        self.house.told.hook.status = self.first_answer

    def trigger(self):
        fax_id = self.post()
        wait_until(lambda: self.house.told.of(fax_id)["webhook"], PATIENCE)
        self.after_first_try(fax_id)
        return fax_id

    def after_first_try(self, _):
        if self.first_answer == 503:
            self.house.told.hook.status = 204

    def end(self):
        self.house.told.hook.status = 204
        super().end()


class TellsNever(TellsLater):
    """It takes nothing for days."""

    def after_first_try(self, fax_id):
        notice = f"notice_id IN (SELECT id FROM notices WHERE fax_id = '{fax_id}')"
        wait_until(lambda: self.house.sql(f"SELECT tries FROM errands WHERE {notice} AND way = 'webhook'") == "1", PATIENCE)
        self.house.sql(f"UPDATE notices SET at_ms = 1000 WHERE fax_id = '{fax_id}'")
        self.house.sql(f"UPDATE errands SET tries = 20, next_at_ms = 1000 WHERE {notice} AND way = 'webhook'")

    def judge(self):
        super().judge()
        events = [event["what"] for event in self.house.fax(self.only_fax()["id"])["events"]]
        assert events.count("Notice not delivered, given up") == 1, events


class Forgotten(Restarted):
    """Its notices are a month old."""

    def prepare(self):
        super().prepare()
        wait_until(lambda: not self.house.untold(), PATIENCE)
        self.house.sql(f"UPDATE notices SET at_ms = 1000 WHERE fax_id = '{self.id}'")

    def judge(self):
        super().judge()
        wait_until(lambda: self.house.sql(f"SELECT count(*) FROM notices WHERE fax_id = '{self.id}'") == "0", PATIENCE)


class Outlived(Restarted):
    """Its document's time is over."""

    def prepare(self):
        super().prepare()
        wait_until(lambda: not self.house.untold(), PATIENCE)
        self.house.sql(f"UPDATE faxes SET final_ms = 1000, updated_ms = 1000 WHERE id = '{self.id}'")
        self.house.sql(f"UPDATE documents SET created_ms = 1000 WHERE id IN (SELECT document_id FROM fax_documents WHERE fax_id = '{self.id}')")

    def judge(self):
        fax = self.only_fax()
        assert fax["status"] == "delivered" and self.house.ask("GET", f"/api/faxes/{self.id}/document.pdf").status_code == 404


class RecordOutlived(Outlived):
    """Its record's, too."""

    def prepare(self):
        super().prepare()
        self.house.sql(f"UPDATE faxes SET created_ms = 1000 WHERE id = '{self.id}'")

    def end(self):
        wait_until(lambda: self.house.faxes(self.number) == [], PATIENCE)

    def judge(self):
        assert self.house.ask("GET", f"/api/faxes/{self.id}").status_code == 404
        assert self.house.sql(f"SELECT count(*) FROM events WHERE fax_id = '{self.id}'") == "0"
        assert len(self.provider.sent[self.number]) == 1


class JournalOutlived(Restarted):
    """What came in about it is old."""

    def prepare(self):
        super().prepare()
        self.entries = f"FROM journal WHERE fax_id = '{self.id}'"
        assert self.house.sql(f"SELECT count(*) {self.entries}") != "0"
        self.house.sql(f"UPDATE journal SET at_ms = 1000 WHERE fax_id = '{self.id}'")

    def judge(self):
        super().judge()
        wait_until(lambda: self.house.sql(f"SELECT count(*) {self.entries}") == "0", PATIENCE)


class Littered(Restarted):
    """Files lie about that nobody knows: as crashes of long ago would have left them."""

    def prepare(self):
        super().prepare()
        self.litter = [f"state/{folder}/{''.join(secrets.choice('0123456789abcdefghjkmnpqrstvwxyz') for _ in range(26))}" for folder in ("handout", "spool", "spool/tmp")]
        past = time.time() - 48 * 3600
        for name in self.litter:
            path = f"{self.house.folder}/{name}"
            with open(path, "wb") as file:
                file.write(b"%PDF-")
            os.utime(path, (past, past))

    def judge(self):
        super().judge()
        wait_until(lambda: not [name for name in self.litter if os.path.exists(f"{self.house.folder}/{name}")], PATIENCE)


class MailboxGone(Received):
    """The Maildir's disk is not mounted while a fax comes in."""

    def prepare(self):
        os.rename(f"{self.house.folder}/Maildir", f"{self.house.folder}/Maildir.away")

    def mend(self):
        if os.path.exists(f"{self.house.folder}/Maildir.away"):
            os.rename(f"{self.house.folder}/Maildir.away", f"{self.house.folder}/Maildir")

    def troubles(self):
        return self.house.sql("SELECT count(*) FROM troubles WHERE kind <> 'certificate'")  # the line's own is one that it made for itself

    def end(self):
        self.mend()
        super().end()
        wait_until(lambda: self.troubles() == "0", PATIENCE)


class MailboxBack(MailboxGone):
    """It is mounted again, and what waited is delivered."""

    def prepare(self):
        super().prepare()
        super().trigger()
        wait_until(lambda: self.troubles() == "1" and self.house.sql("SELECT count(*) FROM faxes WHERE mail_due = 1 AND mail_tries > 0") == "1", PATIENCE)

    def trigger(self):
        self.mend()


class NoRoom(Sent):
    """The queue has no room on the disk for what it is to join."""

    def __init__(self, house, number):
        super().__init__(house, number, files=2)

    def prepare(self):
        self.house.kill(["faxline-queue"])
        self.house.start(["faxline-queue"], RECEIVE_RESERVE_BYTES=str(1 << 50))


class Replayed(Received):
    """Somebody asks for a received fax once more."""

    def prepare(self):
        super().trigger()
        wait_until(self.is_all_done, PATIENCE)
        self.id = self.only_fax()["id"]

    def trigger(self):
        self.house.command("replay", self.id, check=False)

    def told(self):
        return [event["what"] for event in self.house.fax(self.id)["events"]]

    def end(self):
        wait_until(lambda: self.told().count("Delivered to the mailbox") == 2, PATIENCE)
        super().end()

    def judge(self):
        mails = self.house.mails(self.sid)
        assert len(mails) == 2 and len({mail["Message-ID"] for mail in mails}) == 1 and len({mail.get_payload()[1].get_payload() for mail in mails}) == 1
        assert self.only_fax()["status"] == "received" and self.told().count("Asked to deliver it again") == 1, self.told()


class ClockSet(Prepared):
    """A fax is at the provider, and the clock was set while the queue was down: by so many hours."""

    until, mode = "sending", "hold"

    def __init__(self, house, number, hours):
        super().__init__(house, number)
        self.hours = hours

    def fact(self, name):
        return self.house.sql(f"SELECT value FROM facts WHERE name = '{name}'")

    def prepare(self):
        super().prepare()
        wait_until(lambda: not self.house.untold(), PATIENCE)
        self.house.kill(["faxline-queue"])
        # The same as setting the clock: what it was when the queue last looked is another time.
        seen, rest = self.fact("clock.seen").split(" ", 1)
        self.house.sql(f"UPDATE facts SET value = '{int(seen) - self.hours * HOUR_MS} {rest}' WHERE name = 'clock.seen'")
        self.house.sql(f"UPDATE faxes SET deadline_ms = deadline_ms - {self.hours * HOUR_MS} WHERE id = '{self.id}'")

    def trigger(self):
        pass

    def begin(self):
        super().begin()
        self.house.start(["faxline-queue"], ready=False)

    def end(self):
        self.provider.tell_late(self.number)
        super().end()

    def judge(self):
        super().judge()
        deadline = int(self.house.sql(f"SELECT deadline_ms FROM faxes WHERE id = '{self.id}'")) / HOUR_MS
        assert abs(deadline - time.time() / 3600 - 72) < 0.2, deadline
        assert (self.fact("purge.from") != "") == (self.hours > 0)
        self.house.sql("DELETE FROM facts WHERE name = 'purge.from'")  # else the stories after this one keep everything
