"""What test_crash.py lets happen while it kills: each story makes the traffic that reaches a fail point, goes on as a real
client or provider would once the line is back, and judges from outside what became of it."""
import threading

from line import wait_until

PDF = """%%PDF-1.4
1 0 obj <</Type /Catalog /Pages 2 0 R>> endobj
2 0 obj <</Type /Pages /Kids [3 0 R] /Count 1>> endobj
3 0 obj <</Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources <<>>>> endobj
4 0 obj <</Length 27>> stream
0.5 g 50 50 %03d 300 re f %%%%%%%%
endstream endobj
trailer <</Root 1 0 R>>
"""
PATIENCE = 60


def document(number):
    """A page of its own: no two faxes have the same bytes."""
    return (PDF % (int(number[-3:]) + 100) + f"% {number}\n").encode()


class Story:
    """prepare(), then the point is armed, begin(), a kill and a restart, end(), judge()."""

    def __init__(self, house, number):
        self.house, self.provider, self.number = house, house.provider, number
        self.thread, self.answer, self.trouble = None, None, None

    def prepare(self):
        pass

    def begin(self):
        """What reaches the point, in a thread: it may have to be done again."""
        self.thread = threading.Thread(target=self.try_out, daemon=True)
        self.thread.start()

    def try_out(self):
        try:
            self.answer = self.trigger()
        except Exception as error:  # pylint: disable=broad-except  # told by end()
            self.trouble = error

    def end(self):
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive() and self.trouble is None, self.trouble or "still asking"

    def only_fax(self):
        faxes = self.house.faxes(self.number)
        assert len(faxes) == 1, [fax["status"] for fax in faxes]
        return faxes[0]

    def becomes(self, *statuses):
        def there():
            fax = self.only_fax()
            return fax if fax["status"] in statuses else None

        try:
            return wait_until(there, PATIENCE)
        except AssertionError as error:
            raise AssertionError(f"not {statuses} but {self.house.fax(self.only_fax()['id'])}") from error


class Sent(Story):
    """A person sends a fax, and asks again, with the same key, until it is taken."""

    def __init__(self, house, number, mode="", files=1, status="delivered", out=1, most_calls=2):
        super().__init__(house, number)
        self.mode, self.files, self.status, self.out, self.most_calls = mode, files, status, out, most_calls
        self.provider.modes[number] = mode

    def post(self):
        files = [("file", (f"{i}.pdf", document(self.number) + b"%" * i, "application/pdf")) for i in range(self.files)]
        answer = self.house.insist("POST", "/api/faxes", PATIENCE, data={"to": self.number}, files=files, headers={"Idempotency-Key": self.number})
        assert answer.status_code == 202, answer.text
        return answer.json()["id"]

    def trigger(self):
        return self.post()

    def end(self):
        super().end()
        self.becomes(self.status)

    def judge(self):
        fax = self.only_fax()
        assert fax["final"] and fax["status"] == self.status, fax
        sent = self.provider.sent.get(self.number, [])
        assert len(sent) == self.out, f"went out {len(sent)} times"
        assert fax["status"] != "delivered" or not sent or fax["provider_id"] in sent
        assert len(self.provider.calls.get(self.number, [])) <= self.most_calls, f"{len(self.provider.calls[self.number])} calls"
        if self.out:
            shown = self.house.ask("GET", f"/api/faxes/{fax['id']}/document.pdf")
            assert shown.status_code == 200 and shown.content.startswith(b"%PDF-") and fax["pages"] == self.files


class Prepared(Sent):
    """Something is done with a fax that has come to a certain state before."""

    until, mode = "delivered", ""

    def __init__(self, house, number, **more):
        super().__init__(house, number, self.mode, **more)

    def prepare(self):
        self.id = self.post()
        self.becomes(self.until)

    def asked(self, method, path, also, **more):
        """Done once, or found to be done already by the request that was cut off."""
        answer = self.house.insist(method, f"/api/faxes/{self.id}{path}", PATIENCE, **more)
        assert answer.status_code in (200, 204, also), answer.text
        return answer.status_code


class Repeated(Prepared):
    def trigger(self):
        again = self.post()
        assert again == self.id
        return again


class Canceled(Prepared):
    until, mode = "sending", "hold"

    def __init__(self, house, number):
        super().__init__(house, number, status="canceled", out=0)

    def trigger(self):
        return self.asked("POST", "/cancel", 409)


class CanceledWhileWaiting(Canceled):
    until, mode = "waiting", "drop"


class Settled(Prepared):
    until, mode = "unresolved", "forget"

    def __init__(self, house, number):
        super().__init__(house, number, out=0)

    def trigger(self):
        return self.asked("POST", "/settle", 409, json={"as": "delivered"})


class ToldLate(Prepared):
    until, mode = "unresolved", "forget"

    def trigger(self):
        self.provider.tell_late(self.number)


class Deleted(Prepared):
    def trigger(self):
        return self.asked("DELETE", "", 404)

    def end(self):
        Story.end(self)

    def judge(self):
        assert self.house.faxes(self.number) == [] and len(self.provider.sent[self.number]) == 1


class Restarted(Prepared):
    """The queue is started, and keeps house before all else."""

    def trigger(self):
        pass

    def begin(self):
        super().begin()
        self.house.kill(["faxline-queue"])
        self.house.start(["faxline-queue"], ready=False)


class Received(Story):
    """A fax comes in. The provider stops at the first 2xx; without one it asks again, or never."""

    def __init__(self, house, number, how="url", repeats=True, status="received"):
        super().__init__(house, number)
        self.how, self.repeats, self.status = how, repeats, status
        self.fetched = how in ("url", "url late", "bare", "silent")

    def trigger(self):
        self.sid = self.provider.receive(self.number, document(self.number), self.how, self.repeats)
        if self.how.startswith("silent"):
            self.compare()

    def compare(self):
        """As a person who waits for the answer; that it is cut off matters to nobody."""
        assert "taken up" in self.house.command("reconcile", "--since", "1d", check=False)

    def is_missing(self):
        """It was never acknowledged and not brought again: then nothing is promised but that it is shown."""
        promised = self.repeats or self.fetched or self.sid in self.provider.acknowledged
        return not promised and [fax["status"] for fax in self.house.faxes(self.number)] in ([], ["receiving"])

    def is_all_done(self):
        faxes = self.house.faxes(self.number)
        if not faxes:
            return False
        if self.how == "silent failed":
            return faxes[0]["status"] == self.status
        if self.status == "failed":
            return faxes[0]["status"] == "failed" and bool(self.house.mails(self.sid))
        told = [event["what"] for event in self.house.fax(faxes[0]["id"])["events"]]
        return "Delivered to the mailbox" in told and ("Deleted at the provider" in told or not self.fetched)

    def end(self):
        super().end()
        if not self.repeats and self.sid not in self.provider.acknowledged:
            self.compare()
            if self.is_missing():
                return
        try:
            wait_until(self.is_all_done, PATIENCE)
        except AssertionError as error:
            raise AssertionError(f"not finished: {[self.house.fax(fax['id']) for fax in self.house.faxes(self.number)]}") from error
        if self.repeats and not self.how.startswith("silent"):
            wait_until(lambda: self.sid in self.provider.acknowledged, PATIENCE)

    def judge(self):
        faxes, mails = self.house.faxes(self.number), self.house.mails(self.sid)
        if [fax["status"] for fax in faxes] == ["receiving"]:
            self.provider.hidden.add(self.sid)  # else each comparison after this one waits for it
        if self.is_missing():
            assert not mails
            return
        assert [fax["status"] for fax in faxes] == [self.status]
        assert len(mails) == (0 if self.how == "silent failed" else 1), f"{len(mails)} mails"
        assert (self.sid in self.provider.deleted) == self.fetched
        if self.status != "received":
            return
        pages = [part.get_payload(decode=True) for part in mails[0].walk() if part.get_content_type() == "application/pdf"]
        shown = self.house.ask("GET", f"/api/faxes/{faxes[0]['id']}/document.pdf")
        assert pages == [document(self.number)] and shown.content == document(self.number)
