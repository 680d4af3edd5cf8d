"""Damage done on purpose to a line at rest, to see that a soak tells it. Each plant gives what must be found of it."""
import contextlib
import json
import os
import shutil
import signal
import time

import books
from judge import DOUBLED, LOST, STUCK, WRONG, Finding, judge


def row_deleted(soak, fax):
    books.sql(soak.line, "DELETE FROM faxes WHERE id = ?", fax.id)
    return Finding(LOST, "an acknowledged fax is gone from the book", fax.id)


def unfinished(soak, fax):
    books.sql(soak.line, "UPDATE faxes SET status = 'checking', next_at_ms = NULL, version = version + 1 WHERE id = ?", fax.id)
    return Finding(STUCK, "a fax has no end, and nothing is due", fax.id)


def contradiction(soak, fax):
    books.sql(soak.line, "UPDATE faxes SET status = 'failed', version = version + 1 WHERE id = ?", fax.id)
    return Finding(WRONG, "a delivered fax is said to have failed", fax.id)


def second_call(soak, fax):
    folder = os.path.join(soak.line.state_dir, "sandbox/faxes")
    with open(f"{folder}/{fax.provider_id}.json", encoding="utf-8") as file:
        theirs = json.load(file)
    theirs["sid"] = theirs["sid"][:-6] + "ffffff"
    with open(f"{folder}/{theirs['sid']}.json", "w", encoding="utf-8") as file:
        json.dump(theirs, file)
    return Finding(DOUBLED, "the provider sent a fax twice", fax.id)


def record_deleted(soak, fax):
    books.sql(soak.line, "DELETE FROM faxes WHERE id = ?", fax.id)
    return Finding(LOST, "a fax came in and has no record", sid=fax.provider_id)


def mail_of(soak, fax):
    """The file of a mail that no mail program has read."""
    folder = os.path.join(soak.line.maildir, "new")
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as file:
            if fax.provider_id.encode() in file.read(8192):
                return os.path.join(folder, name)
    raise RuntimeError(f"no mail of {fax.provider_id} in the mailbox")


def mail_removed(soak, fax):
    os.remove(mail_of(soak, fax))
    return Finding(LOST, "a mail is gone that nobody has read", sid=fax.provider_id)


def mail_copied(soak, fax):
    path = mail_of(soak, fax)
    shutil.copyfile(path, path + ".again")
    return Finding(DOUBLED, "a mail is there twice", sid=fax.provider_id)


def three_new_ones(soak):
    """Received faxes whose mails lie unread."""
    before = {fax.id for fax in books.ours(soak.line, soak.key)}
    arrivals = soak.others[0]
    for _ in range(20):
        arrivals.step()
    end = time.monotonic() + 60
    while time.monotonic() < end:
        new = [fax for fax in books.ours(soak.line, soak.key) if fax.id not in before and fax.status == "received"]
        counts, _ = books.maildir(soak.line)
        over = {theirs.sid for theirs in soak.provider.faxes() if theirs.ended and not theirs.document_kept}
        new = [fax for fax in new if fax.provider_id in over and any(fax.provider_id in message_id for message_id in counts)]
        if len(new) >= 3:
            return new[:3]
        time.sleep(0.5)
    raise RuntimeError("the faxes for the self-test did not come in")


@contextlib.contextmanager
def stopped(line, name):
    found = [process for process, program in line.all_processes().items() if program == name]
    try:
        while True:
            for process in found:
                os.kill(process, signal.SIGSTOP)
            try:
                books.sql(line, "UPDATE faxes SET version = version WHERE 1 = 0")
                break
            except ConnectionError:  # it was stopped with the book in its hand
                for process in found:
                    os.kill(process, signal.SIGCONT)
        yield
    finally:
        for process in found:
            os.kill(process, signal.SIGCONT)


def self_test(soak):
    """0: everything planted was told, and told as what it is."""
    soak.reader.stop()
    soak.reader.join(30)
    book = {fax.id: fax for fax in books.ours(soak.line, soak.key)}
    promised = set().union(*(order.fax_ids for order in soak.notes.orders))
    sent = [fax for fax in book.values() if fax.status == "delivered" and fax.id in promised - soak.notes.people.settled]
    if len(sent) < 4:
        raise RuntimeError(f"too few faxes were delivered for the self-test: {len(sent)}")
    arrived = three_new_ones(soak)
    # It would mend what is damaged here, as it should, by the provider's list.
    with stopped(soak.line, "faxline-queue"):
        expected = [plant(soak, fax) for plant, fax in zip((row_deleted, second_call, contradiction), sent)]
        expected += [plant(soak, fax) for plant, fax in zip((record_deleted, mail_removed, mail_copied), arrived)]
        expected.append(unfinished(soak, sent[3]))
        found = judge(books.collect(soak.line, soak.notes, soak.reader, soak.provider, soak.key, []))
    missed = 0
    for plant in expected:
        told = [finding.reason for finding in found if finding.kind == plant.kind and (plant.fax_id or plant.sid) in (finding.fax_id, finding.sid)]
        soak.say(f"planted: {plant.reason}: " + (f"told as {plant.kind}: {told[0]}" if told else "NOT TOLD"))
        missed += not told
    return 1 if missed else 0
