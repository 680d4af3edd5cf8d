"""The judge, on small made-up ledgers: what is right is left alone, each defect is told, and nothing else."""
import dataclasses

import pytest

from judge import ADMITTED, DOUBLED, LOST, PENDING, STUCK, WRONG, Attempt, Ledgers, Mail, Order, Ours, People, Theirs, judge

NOW = 10_000.0


def sent(**more):
    return Ours(**{"id": "f1", "direction": "outbound", "status": "delivered", "final": True, "to": "+12125550100", "provider_id": "FX1", "pages": 2, "created": NOW - 100, **more})


def called(**more):
    return Theirs(**{"sid": "FX1", "direction": "outbound", "status": "delivered", "to": "+12125550100", "token_hash": "t1", "pages": 2, **more})


def came(**more):
    return Theirs(**{"sid": "FX9", "direction": "inbound", "status": "received", "acknowledged": True, "sha256": "d9", **more})


def received(**more):
    return Ours(**{"id": "f9", "direction": "inbound", "status": "received", "final": True, "provider_id": "FX9", "created": NOW - 100, **more})


def mail(**more):
    return Mail(**{"message_id": "fax.FX9@localhost", "sid": "FX9", "received": True, "sha256": "d9", "first_seen": NOW - 50, **more})


def ledgers(**more):
    """One fax each way, as it should be, but for what is given."""
    right = {"orders": [Order("k1", "+12125550100", {"f1"})], "people": People(), "ours": [sent(), received()], "attempts": [Attempt("f1", "t1")],
             "theirs": [called(), came()], "mails": [mail()], "crashes": [], "now": NOW}
    return Ledgers(**{**right, **more})


def kinds(**more):
    return [finding.kind for finding in judge(ledgers(**more))]


def test_what_is_right_is_left_alone():
    assert kinds() == []


# --- orders and the book ---
def test_an_acknowledged_fax_that_is_not_in_the_book_is_lost_but_not_after_a_deletion():
    gone = {"ours": [received()], "attempts": []}
    assert kinds(**gone, theirs=[came()]) == [LOST]
    for word in ("asked", "done"):
        assert kinds(**gone, people=People(deleted={"f1": word})) == []


def test_a_deleted_fax_that_is_still_there_is_wrong_once_the_deletion_was_answered():
    assert kinds(people=People(deleted={"f1": "done"})) == [WRONG]
    assert kinds(people=People(deleted={"f1": "asked"})) == []


def test_a_fax_that_nobody_asked_for_is_doubled():
    second = sent(id="f2", provider_id="", status="failed")
    assert kinds(ours=[sent(), second, received()]) == [DOUBLED]
    assert kinds(ours=[sent(), second, received()], orders=[Order("k1", "+12125550100", {"f1"}), Order("k2", "+12125550100")]) == []
    assert kinds(ours=[sent(), second, received()], orders=[Order("k1", "+12125550100", {"f1"}), Order("k2", "+12125550177")]) == [DOUBLED]


def test_one_key_with_two_faxes_is_doubled():
    second = sent(id="f2", provider_id="", status="failed")
    assert kinds(ours=[sent(), second, received()], orders=[Order("k1", "+12125550100", {"f1", "f2"})]) == [DOUBLED]


def test_an_unanswered_resend_may_have_made_a_fax_or_none():
    orders = [Order("k1", "+12125550100", {"f1"}), Order("k2", "+12125550100", resend_of="f1")]
    assert kinds(orders=orders) == []
    again = sent(id="f2", provider_id="", status="failed", resend_of="f1")
    assert kinds(orders=orders, ours=[sent(), again, received()]) == []
    assert kinds(ours=[sent(), again, received()]) == [DOUBLED]


# --- sent faxes ---
def test_two_calls_that_reached_the_number_are_doubled_and_a_retry_after_busy_is_not():
    attempts = [Attempt("f1", "t1"), Attempt("f1", "t2")]
    for first, expected in (("busy", []), ("no-answer", []), ("canceled", []), ("delivered", [DOUBLED])):
        assert kinds(attempts=attempts, theirs=[called(sid="FX0", token_hash="t2", status=first), called(), came()]) == expected
    assert kinds(attempts=attempts, theirs=[called(sid="FX0", token_hash="t2", status="failed", error_code="11200"), called(), came()]) == []
    assert kinds(attempts=attempts, theirs=[called(sid="FX0", token_hash="t2", status="failed", error_code="34004"), called(), came()]) == [DOUBLED]


def test_a_call_that_no_attempt_stands_for_is_doubled():
    theirs = [called(), called(sid="FX2", token_hash="unknown"), came()]
    assert kinds(theirs=theirs) == [DOUBLED]


@pytest.mark.parametrize("status", ["queued", "preparing", "submitting", "checking", "sending", "waiting"])
def test_an_unfinished_fax_is_stuck(status):
    assert kinds(ours=[sent(status=status, final=False), received()]) == [STUCK]


@pytest.mark.parametrize("ours, theirs, expected", [
    ("delivered", "busy", [WRONG]), ("delivered", "failed", [WRONG]), ("partly_delivered", "canceled", [WRONG]),
    ("failed", "delivered", [WRONG]), ("canceled", "delivered", [WRONG]), ("failed", "failed", []), ("failed", "busy", []),
    ("canceled", "canceled", []), ("unresolved", "delivered", []), ("unresolved", "failed", []), ("partly_delivered", "delivered", []),
])
def test_the_end_here_and_at_the_provider(ours, theirs, expected):
    assert kinds(ours=[sent(status=ours), received()], theirs=[called(status=theirs), came()]) == expected
    assert kinds(ours=[sent(status=ours), received()], theirs=[called(status=theirs), came()], people=People(settled={"f1"})) == []


def test_delivered_without_any_call_is_wrong():
    assert kinds(attempts=[], theirs=[came()]) == [WRONG]


def test_a_missing_page_must_be_told():
    assert kinds(theirs=[called(pages=1), came()]) == [WRONG]
    assert kinds(theirs=[called(pages=1), came()], ours=[sent(status="partly_delivered"), received()]) == []


# --- received faxes ---
@pytest.mark.parametrize("there", [{"document_kept": True}, {}, {"stored_there": False}, {"status": "failed", "acknowledged": False}])
def test_what_came_in_and_has_no_record_is_lost(there):
    assert kinds(theirs=[called(), came(**there)], ours=[sent()], mails=[]) == [LOST]


def test_what_is_still_coming_in_is_pending():
    assert kinds(theirs=[called(), came(ended=False)], ours=[sent()], mails=[]) == [PENDING]


def test_a_record_without_mail_is_lost():
    assert kinds(mails=[]) == [LOST]
    assert kinds(mails=[mail(received=False)]) == [LOST]


def test_failed_here_though_the_provider_had_it_is_lost():
    failed = [sent(), received(status="failed")]
    assert kinds(ours=failed, mails=[]) == [LOST]
    assert kinds(ours=failed, mails=[], theirs=[called(), came(status="failed")]) == []
    # In the message and nowhere else, and the message was not taken: nobody has it, and it is shown.
    assert kinds(ours=failed, mails=[], theirs=[called(), came(stored_there=False, acknowledged=False)]) == []


def test_two_records_or_none_of_the_providers():
    assert kinds(ours=[sent(), received(), received(id="f8")]) == [DOUBLED]
    assert kinds(ours=[sent(), received()], theirs=[called()], mails=[]) == [WRONG]


def test_an_unfinished_reception_is_stuck_but_for_the_quarter_of_an_hour_that_a_message_has():
    waiting = {"theirs": [called(), came(status="failed")], "mails": []}
    assert kinds(ours=[sent(), received(status="receiving", final=False)], **waiting) == [PENDING]
    assert kinds(ours=[sent(), received(status="receiving", final=False, created=NOW - 1000)], **waiting) == [STUCK]
    assert kinds(ours=[sent(), received(status="fetching", final=False)], **waiting) == [STUCK]


def test_a_deleted_reception_stays_away():
    done = People(deleted_sids={"FX9": "done"})
    assert kinds(people=done) == [WRONG]
    assert kinds(people=done, ours=[sent()]) == []
    assert kinds(people=People(deleted_sids={"FX9": "asked"})) == []


# --- mail ---
def test_another_document_in_the_mail_is_wrong():
    assert kinds(mails=[mail(sha256="other")]) == [WRONG]
    assert kinds(mails=[mail(sha256="other")], theirs=[called(), came(sha256="")]) == []


def test_a_mail_twice_is_doubled_but_where_a_kill_was_between():
    twice = [mail(copies=2, again_seen=NOW - 20)]
    assert kinds(mails=twice) == [DOUBLED]
    assert kinds(mails=twice, crashes=[NOW - 40]) == [ADMITTED]
    assert kinds(mails=twice, crashes=[NOW - 5]) == [DOUBLED]
    assert kinds(mails=[dataclasses.replace(twice[0], copies=3)], crashes=[NOW - 40]) == [DOUBLED]


def test_two_message_ids_of_one_fax_are_doubled():
    assert kinds(mails=[mail(), mail(message_id="fax.FX9.1@localhost")]) == [DOUBLED]


def test_a_mail_of_no_fax_is_wrong():
    assert kinds(mails=[mail(), mail(sid="FX7", message_id="fax.FX7@localhost")]) == [WRONG]
