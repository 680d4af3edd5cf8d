"""Compares what was promised, what our book says, what the provider's book says, and the mail. Knows no line: data alone.

judge(ledgers) gives findings. LOST, DOUBLED, STUCK and WRONG are defects; ADMITTED is a duplicate that lib/queue/README.md
admits; PENDING has not ended yet, and need not have by what the settings promise."""
import collections
import dataclasses

LOST, DOUBLED, STUCK, WRONG, ADMITTED, PENDING = "lost", "doubled", "stuck", "wrong", "admitted", "pending"
DEFECTS = (LOST, DOUBLED, STUCK, WRONG)

MESSAGE_SECONDS = 15 * 60 + 60  # a fax that ended there without a document is shown as failed after 15 minutes, and a sweep
BEFORE_SEEN = 15  # seconds that a mail may lie in the mailbox before its reader sees it


@dataclasses.dataclass
class Order:
    """A fax that a client asked for, by one Idempotency-Key."""
    key: str
    to: str
    fax_ids: set = dataclasses.field(default_factory=set)  # of every 202; empty: never answered
    resend_of: str = ""


@dataclasses.dataclass
class People:
    """What people did besides. A deletion is "asked" until its answer came, then "done"."""
    settled: set = dataclasses.field(default_factory=set)  # ids of faxes whose end a person told
    deleted: dict = dataclasses.field(default_factory=dict)  # id of a fax -> "asked", "done"
    deleted_sids: dict = dataclasses.field(default_factory=dict)  # FaxSid of a received one -> the same


@dataclasses.dataclass
class Ours:
    id: str
    direction: str
    status: str
    final: bool
    to: str = ""
    provider_id: str = ""
    resend_of: str = ""
    pages: int | None = None
    created: float = 0.0


@dataclasses.dataclass
class Attempt:
    fax_id: str
    token_hash: str


@dataclasses.dataclass
class Theirs:
    sid: str
    direction: str
    status: str
    to: str = ""
    token_hash: str = ""  # of the callback URL that came with the call: it says whose attempt it is
    error_code: str = ""
    pages: int | None = None
    document_kept: bool = False  # the provider has it still
    stored_there: bool = True  # false: the document was in the message to us and nowhere else
    acknowledged: bool = False  # its message to us was answered with 2xx
    ended: bool = True
    sha256: str = ""  # of the document; empty: not known


@dataclasses.dataclass
class Mail:
    message_id: str
    sid: str
    received: bool  # false: a notice
    sha256: str = ""
    copies: int = 1
    first_seen: float = 0.0
    again_seen: float = 0.0  # when the last copy was seen


@dataclasses.dataclass
class Ledgers:
    orders: list
    people: People
    ours: list
    attempts: list
    theirs: list
    mails: list
    crashes: list  # times at which a program was killed
    now: float = 0.0


@dataclasses.dataclass
class Finding:
    kind: str
    reason: str
    fax_id: str = ""
    sid: str = ""


def may_have_pages(theirs):
    return theirs.status in ("delivered", "sending") or (theirs.status == "failed" and theirs.error_code == "34004")


def judge(ledgers):
    return [*judge_orders(ledgers), *judge_sent(ledgers), *judge_received(ledgers), *judge_mails(ledgers)]


def judge_orders(ledgers):
    """Every 202 has its fax, every fax its order."""
    book = {fax.id: fax for fax in ledgers.ours if fax.direction == "outbound"}
    promised, unanswered = set(), collections.Counter()
    for order in ledgers.orders:
        promised |= order.fax_ids
        if not order.fax_ids:
            unanswered[order.to, order.resend_of] += 1
        if len(order.fax_ids) > 1:
            yield Finding(DOUBLED, f"one Idempotency-Key was answered with {len(order.fax_ids)} faxes: {', '.join(sorted(order.fax_ids))}", min(order.fax_ids))
        for fax_id in order.fax_ids:
            if fax_id not in book and fax_id not in ledgers.people.deleted:
                yield Finding(LOST, f"the fax to {order.to} was acknowledged, and is not in the book", fax_id)
            if fax_id in book and ledgers.people.deleted.get(fax_id) == "done":
                yield Finding(WRONG, "it was deleted, and is in the book", fax_id)
    for fax in book.values():
        if fax.id in promised:
            continue
        if unanswered[fax.to, fax.resend_of] > 0:
            unanswered[fax.to, fax.resend_of] -= 1
        else:
            yield Finding(DOUBLED, f"nobody asked for this fax to {fax.to}", fax.id)


def judge_sent(ledgers):
    """What became of each sent fax, by us and by the provider."""
    fax_of = {attempt.token_hash: attempt.fax_id for attempt in ledgers.attempts}
    numbers_of_deleted = {order.to for order in ledgers.orders if order.fax_ids & ledgers.people.deleted.keys()}
    calls = collections.defaultdict(list)
    for theirs in ledgers.theirs:
        if theirs.direction != "outbound":
            continue
        fax_id = fax_of.get(theirs.token_hash)
        if fax_id:
            calls[fax_id].append(theirs)
        elif theirs.to not in numbers_of_deleted:
            yield Finding(DOUBLED, f"the provider was called for {theirs.to}, and no attempt in the book says so", sid=theirs.sid)
    for fax_id, made in calls.items():
        reached = [theirs for theirs in made if may_have_pages(theirs)]
        if len(reached) > 1:
            yield Finding(DOUBLED, f"the provider sent it {len(reached)} times: {', '.join(theirs.sid for theirs in reached)}", fax_id, reached[-1].sid)
    for fax in ledgers.ours:
        if fax.direction == "outbound":
            yield from judge_end(fax, calls[fax.id], fax.id in ledgers.people.settled)


def judge_end(fax, made, settled):
    if not fax.final:
        yield Finding(STUCK, f"it is {fax.status}", fax.id, fax.provider_id)
        return
    arrived = [theirs for theirs in made if theirs.status == "delivered"]
    if settled:
        return
    if fax.status in ("delivered", "partly_delivered") and not arrived:
        yield Finding(WRONG, f"it is {fax.status} here, and the provider never sent it", fax.id, fax.provider_id)
    elif fax.status in ("failed", "canceled") and arrived:
        yield Finding(WRONG, f"it is {fax.status} here, and the provider delivered it", fax.id, arrived[0].sid)
    elif fax.status == "delivered" and fax.pages and arrived[0].pages is not None and arrived[0].pages < fax.pages:
        yield Finding(WRONG, f"it is delivered here, and {arrived[0].pages} of {fax.pages} pages arrived", fax.id, arrived[0].sid)


def judge_received(ledgers):
    """Every fax that came in at the provider is here, once, and in the mailbox."""
    rows = collections.defaultdict(list)
    for fax in ledgers.ours:
        if fax.direction == "inbound":
            rows[fax.provider_id].append(fax)
    mails = collections.defaultdict(list)
    for mail in ledgers.mails:
        mails[mail.sid].append(mail)
    theirs_by_sid = {theirs.sid: theirs for theirs in ledgers.theirs if theirs.direction == "inbound"}
    for sid, found in rows.items():
        if sid not in theirs_by_sid:
            yield Finding(WRONG, "it is received here, and the provider never had it", found[0].id, sid)
    for sid, theirs in theirs_by_sid.items():
        found, deleted = rows[sid], ledgers.people.deleted_sids.get(sid)
        if len(found) > 1:
            yield Finding(DOUBLED, f"{len(found)} faxes here for one FaxSid", found[-1].id, sid)
        if deleted:
            if found and deleted == "done":
                yield Finding(WRONG, "it was deleted here, and came back", found[0].id, sid)
            continue
        yield from judge_one_received(ledgers, theirs, found, mails[sid])


def judge_one_received(ledgers, theirs, found, mails):
    ours_to_have = theirs.status == "received" and (theirs.document_kept or theirs.stored_there or theirs.acknowledged)
    if not theirs.ended:
        yield Finding(PENDING, "the provider is still telling us of it", found[0].id if found else "", theirs.sid)
    elif not found:
        where = "the provider keeps it" if theirs.document_kept else "we acknowledged it" if ours_to_have else "it failed there and is not shown"
        yield Finding(LOST, f"it came in, {where}, and there is no record here", "", theirs.sid)
    elif not found[0].final:
        waits = found[0].status == "receiving" and not theirs.document_kept and ledgers.now - found[0].created < MESSAGE_SECONDS
        yield Finding(PENDING if waits else STUCK, f"it is {found[0].status}", found[0].id, theirs.sid)
    elif found[0].status == "failed":
        if ours_to_have:
            yield Finding(LOST, "it is failed here, and the provider had its document", found[0].id, theirs.sid)
    elif not any(mail.received for mail in mails):
        yield Finding(LOST, "it is received here, and no mail was ever seen", found[0].id, theirs.sid)
    elif theirs.sha256 and any(mail.received and mail.sha256 not in ("", theirs.sha256) for mail in mails):
        yield Finding(WRONG, "the mail's document is another than the sender's", found[0].id, theirs.sid)


def judge_mails(ledgers):
    sids = {theirs.sid for theirs in ledgers.theirs if theirs.direction == "inbound"}
    seen = collections.defaultdict(set)
    for mail in ledgers.mails:
        if not mail.received:
            continue
        seen[mail.sid].add(mail.message_id)
        if mail.sid not in sids:
            yield Finding(WRONG, f"a mail for a fax that the provider never had: {mail.message_id}", sid=mail.sid)
        if mail.copies > 1:
            killed = any(mail.first_seen - BEFORE_SEEN <= crash <= mail.again_seen for crash in ledgers.crashes)
            reason = "after a kill between delivery and its note, while the first copy was deleted" if killed else "without a kill in that instant"
            yield Finding(ADMITTED if killed and mail.copies == 2 else DOUBLED, f"the same mail {mail.copies} times, {reason}", sid=mail.sid)
    for sid, message_ids in seen.items():
        if len(message_ids) > 1:
            yield Finding(DOUBLED, f"{len(message_ids)} different mails of one fax", sid=sid)
