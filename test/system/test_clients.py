"""Judged by clients that nobody here wrote: the providers' own libraries, at our practice provider and at our webhooks."""
import collections
import datetime
import email
import email.policy
import os
import re
import sys
import uuid
import xml.etree.ElementTree as ElementTree
from urllib.parse import urlencode

import pytest
import requests

from line import BUILD, ROOT, Line, wait_until

sys.path[:0] = [f"{ROOT}/test/clients", f"{ROOT}/test/support"]
from desk import Desk, Receiver, Refused, basic  # noqa: E402
import dialects  # noqa: E402
from dialects import CREATED, HEADER, RECEIVE, SID, TOO_LATE, WRONG, new_sid  # noqa: E402
from fastcgi_client import Program  # noqa: E402

OURS, SOMEBODY = "+15005550006", "+12125551212"
FINAL = ("delivered", "received", "no-answer", "busy", "failed", "canceled")
# Values that a form writes otherwise than they are: the signature is of what they are.
WORDS = {"RemoteStationId": " Dr. Müller & Söhne + 100 % ", "Empty": "", "ErrorMessage": "a=b;c?d/e~f*'(\"\u20ac)"}


@pytest.fixture(scope="module", params=["twilio", "signalwire"])
def dialect(request):
    return request.param


@pytest.fixture(scope="module")
def practice(dialect):
    """A line whose practice provider speaks the dialect; at SignalWire accounts are projects, and the signing key is not the token."""
    project = {"TWILIO_SID": str(uuid.uuid4()), "TWILIO_TOKEN": "PT" + os.urandom(20).hex(), "WEBHOOK_SIGNING_KEY": "PSK" + os.urandom(12).hex()}
    it = Line(SANDBOX_DIALECT=dialect, RECONCILE_SECONDS="3600", **(project if dialect == "signalwire" else {})).start()
    yield it
    it.close()


@pytest.fixture(scope="module")
def places(dialect, practice):
    return dialects.places(dialect, practice.ready["sandbox"], practice.conf["TWILIO_SID"])


@pytest.fixture(scope="module")
def key(practice):
    return practice.conf.get("WEBHOOK_SIGNING_KEY") or practice.conf["TWILIO_TOKEN"]


@pytest.fixture(scope="module")
def other_keys(practice, key):
    """What must not count as the signing key."""
    return {key + "x", practice.conf["TWILIO_TOKEN"]} - {key}


@pytest.fixture(scope="module")
def desk(dialect, practice):
    with Desk(dialect, practice.ready["sandbox"], practice.conf["TWILIO_SID"], practice.conf["TWILIO_TOKEN"], practice.ca) as it:
        yield it


def new_receiver(practice, documents):
    it = Receiver(f"{practice.run_dir}/tls/server.pem", f"{practice.run_dir}/tls/server.key")
    with open(documents["letter"], "rb") as file:
        it.pages["/letter.pdf"] = ("application/pdf", file.read())
    return it


@pytest.fixture
def receiver(practice, documents):
    it = new_receiver(practice, documents)
    yield it
    it.close()


def sender(desk, receiver):
    return lambda to=SOMEBODY, **more: desk.create(**{"to": to, "from": OURS, "mediaUrl": f"{receiver.url}/letter.pdf", **more})


@pytest.fixture
def send(desk, receiver):
    return sender(desk, receiver)


Ended = collections.namedtuple("Ended", "created answered done")


@pytest.fixture(scope="module")
def ended(dialect, desk, practice, documents):
    """Faxes that are over, sent at the same time: as each was created, in which words, and as it is now."""
    wishes = {"kept": {"quality": "superfine", "storeMedia": True, "ttl": 30}, "not kept": {"storeMedia": False}, "to delete": {}, "busy": {"to": "+15005550001"}, "no-answer": {"to": "+15005550002"}, "failed": {"to": "+15005550003"}}
    receiver = new_receiver(practice, documents)
    try:
        faxes = {name: (sender(desk, receiver)(**wish), desk.wire()) for name, wish in wishes.items()}
        yield {name: Ended(created, answered, final(desk, created["sid"])) for name, (created, answered) in faxes.items()}
    finally:
        receiver.close()


@pytest.fixture
def waiting(desk, practice, send):
    """The sid of a fax that stays queued."""
    account = (practice.conf["TWILIO_SID"], practice.conf["TWILIO_TOKEN"])
    armed = requests.post(practice.ready["sandbox"] + "/sandbox/faults", data={"fault": "media-never"}, auth=account, verify=practice.ca, timeout=20)
    assert armed.status_code == 200, armed.text
    return send()["sid"]


def final(desk, sid, seconds=30):
    return wait_until(lambda: (lambda fax: fax if fax["status"] in FINAL else None)(desk.fetch(sid)), seconds, 0.3)


def refusal(what, *words):
    with pytest.raises(Refused) as refused:
        what(*words)
    return refused.value.status, refused.value.code


def one_bit_off(signature):
    return chr(ord(signature[0]) ^ 1) + signature[1:]


def is_now(text):
    return abs(datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))) < datetime.timedelta(seconds=60)


# --- the API


def test_creates_and_follows_a_fax(dialect, practice, places, ended):
    fax, wire, done = ended["kept"]
    asked, told = places
    assert (wire["asked"], wire["status"]) == (asked, CREATED[dialect])
    assert re.fullmatch(SID[dialect], fax["sid"]) and fax["accountSid"] == practice.conf["TWILIO_SID"]
    assert (fax["from"], fax["to"], fax["direction"], fax["status"], fax["quality"]) == (OURS, SOMEBODY, "outbound", "queued", "superfine")
    assert fax["numPages"] is None and fax["duration"] is None and fax["mediaUrl"] is None and fax["price"] is None and fax["apiVersion"] == "v1"
    assert is_now(fax["dateCreated"]) and is_now(fax["dateUpdated"])
    assert fax["url"] == f"{told}/{fax['sid']}" and fax["links"] == {"media": fax["url"] + "/Media"}
    assert done["status"] == "delivered" and done["numPages"] == 1 and done["duration"] >= 1
    assert done["dateCreated"] == fax["dateCreated"] and done["dateUpdated"] > fax["dateCreated"]


def test_writes_what_the_libraries_would_read_in_either_way(dialect, desk, places, ended):
    """Numbers as text, and the reason of an end, which no library shows."""
    desk.fetch(ended["failed"].done["sid"])
    failed = desk.wire()
    assert (failed["asked"], failed["status"]) == (f"{places[0]}/{ended['failed'].done['sid']}", 200)
    desk.fetch(ended["kept"].done["sid"])
    kept = desk.wire()["answered"]
    if dialect == "twilio":
        assert kept["num_pages"] == 1 and "error_code" not in kept and "error_code" not in failed["answered"]
    else:
        assert kept["num_pages"] == "1" and isinstance(kept["duration"], int) and kept["error_code"] is None and kept["error_message"] is None
        assert failed["answered"]["error_code"] == "34004" and failed["answered"]["error_message"]
        assert re.fullmatch(SID[dialect], kept["media_sid"])


def test_lists_page_by_page_and_by_what_is_asked(dialect, desk, practice, places, send):
    sids = [send(to)["sid"] for to in ("+12125550101", "+12125550102", "+12125550101", "+12125550103", "+12125550101")]
    newest = [fax["sid"] for fax in desk.list(pageSize=2, limit=5)]
    assert newest == sids[::-1], "newest first, across three pages"
    every = [fax["sid"] for fax in desk.list(pageSize=3)]
    assert set(sids) <= set(every) and len(every) == len(set(every))
    assert [fax["sid"] for fax in desk.list(to="+12125550101", pageSize=1)] == [sids[4], sids[2], sids[0]]
    last, told = desk.wire(), places[1]
    page = last["answered"] if dialect == "signalwire" else last["answered"]["meta"]
    suffix = "uri" if dialect == "signalwire" else "url"
    assert (page["page"], page["page_size"], page[f"next_page_{suffix}"]) == (2, 1, None) and ("meta" in last["answered"]) == (dialect == "twilio")
    # The library went where the page before had sent it.
    assert last["asked"].startswith((practice.ready["sandbox"] if dialect == "signalwire" else "") + told + "?") and last["asked"].endswith(page[suffix])
    assert page[f"first_page_{suffix}"].startswith(told + "?")
    assert desk.list(**{"from": "+12125550101"}) == []
    created = desk.fetch(sids[0])["dateCreated"]
    assert sids[0] in [fax["sid"] for fax in desk.list(dateCreatedOnOrBefore=created)], "on or before is at the same second, too"
    assert sids[0] not in [fax["sid"] for fax in desk.list(dateCreatedAfter=created)], "after is strictly later"
    assert desk.list(dateCreatedAfter="2099-01-01T00:00:00Z") == [] and desk.list(dateCreatedOnOrBefore="2001-01-01T00:00:00Z") == []


def test_cancels_a_fax_and_is_told_when_it_is_over(dialect, desk, waiting):
    assert desk.cancel(waiting)["status"] == "canceled"
    assert desk.fetch(waiting)["status"] == "canceled"
    assert refusal(desk.cancel, waiting) == TOO_LATE[dialect] and desk.fetch(waiting)["status"] == "canceled"


def test_neither_cancels_nor_deletes_a_fax_that_is_being_sent(dialect, desk, send):
    sid = send("+15005550004")["sid"]
    media = wait_until(lambda: (lambda fax: fax["mediaSid"] if fax["status"] == "sending" else None)(desk.fetch(sid)))
    assert refusal(desk.cancel, sid) == TOO_LATE[dialect]
    assert refusal(desk.remove, sid) == (409, 20009) and refusal(desk.media_remove, sid, media) == (409, 20009)
    assert desk.fetch(sid)["status"] == "sending"


def test_deletes_a_fax_when_it_is_over(dialect, desk, ended, waiting):
    sid = ended["to delete"].done["sid"]
    assert desk.remove(sid) is True and desk.wire()["status"] == 204
    assert refusal(desk.fetch, sid) == (404, 20404) and refusal(desk.remove, sid) == (404, 20404)
    assert sid not in [fax["sid"] for fax in desk.list()]
    if dialect == "signalwire":  # and before it begins
        assert desk.remove(waiting) is True and refusal(desk.fetch, waiting) == (404, 20404)
    else:
        assert refusal(desk.remove, waiting)[0] == 409


def test_lists_fetches_and_deletes_a_document(dialect, desk, practice, documents, ended):
    fax = ended["kept"].done
    sid = fax["sid"]
    [media] = desk.media_list(sid)
    answered = desk.wire()["answered"]
    if dialect == "signalwire":
        assert "meta" not in answered and answered["uri"].startswith(f"{fax['url']}/Media?") and answered["media"][0]["url"] == media["url"]
    assert (media["faxSid"], media["contentType"]) == (sid, "application/pdf") and media["sid"] == fax["mediaSid"] and media["url"] == f"{fax['url']}/Media/{media['sid']}"
    assert desk.media_fetch(sid, media["sid"]) == media
    with open(documents["letter"], "rb") as file:
        assert requests.get(fax["mediaUrl"], verify=practice.ca, timeout=20).content == file.read()
    assert desk.media_remove(sid, media["sid"]) is True
    assert desk.media_list(sid) == [] and refusal(desk.media_fetch, sid, media["sid"]) == (404, 20404)
    assert desk.fetch(sid)["mediaUrl"] is None


def test_keeps_no_document_that_is_not_to_be_kept(desk, ended):
    assert ended["not kept"].done["mediaUrl"] is None and desk.media_list(ended["not kept"].done["sid"]) == []


def test_reads_how_faxes_ended(ended):
    assert [ended[end].done["status"] for end in ("busy", "no-answer", "failed")] == ["busy", "no-answer", "failed"]


def test_is_refused_in_the_words_of_the_documentation(dialect, desk, practice, send):
    with pytest.raises(Refused) as refused:
        send("+15005550005")
    assert refused.value.status == 400 and refused.value.code == 21211 and refused.value.message
    assert refused.value.more_info.startswith("https://") and (str(refused.value.code) in refused.value.more_info or dialect == "signalwire")
    wrong = {"To": {"to": "12125551212"}, "From": {"from": "12125551212"}, "other From": {"from": "+12125550000"}, "MediaUrl": {"mediaUrl": "letter.pdf"}, "Quality": {"quality": "best"}, "Ttl": {"ttl": "soon"}}
    assert {name: refusal(lambda words=words: send(**words)) for name, words in wrong.items()} == {name: (400, code) for name, code in WRONG[dialect].items()}
    if dialect == "signalwire":
        assert refusal(lambda: send(ttl=4)) == refusal(lambda: send(ttl=301)) == (400, 10000)
    with Desk(dialect, practice.ready["sandbox"], practice.conf["TWILIO_SID"], "another token", practice.ca) as stranger:
        assert refusal(stranger.fetch, new_sid(dialect)) == (401, 20003)
    assert refusal(desk.fetch, new_sid(dialect)) == (404, 20404)


# --- what our practice provider signs


def holds(desk, key, other_keys, dialect, request, url, parameters):
    """The library's verdict, of the request as it was and of its neighbours."""
    signature = request.headers[HEADER[dialect]]
    assert desk.validate(key, signature, url + request.target, parameters) is True, (request.method, request.target, parameters)
    assert not any(desk.validate(other, signature, url + request.target, parameters) for other in other_keys)
    assert desk.validate(key, one_bit_off(signature), url + request.target, parameters) is False
    assert desk.validate(key, signature, url + request.target + "x", parameters) is False
    if parameters:
        assert desk.validate(key, signature, url + request.target, {**parameters, "To": parameters["To"] + "0"}) is False


def test_fetches_and_status_callbacks_are_signed(dialect, desk, key, other_keys, receiver, send):
    sid = send(statusCallback=f"{receiver.url}/status?a=1&b=%C3%A4+x", storeMedia=False)["sid"]
    told = wait_until(lambda: (lambda forms: forms if "delivered" in [form["FaxStatus"] for form in forms] else None)([request.form() for request in receiver.of("/status") if "Authorization" in request.headers]))
    assert all(form["FaxSid"] == sid and form["To"] == SOMEBODY and form["From"] == OURS for form in told)
    assert told[-1]["NumPages"] == "1" and told[-1]["OriginalMediaUrl"] == f"{receiver.url}/letter.pdf"
    fetches = receiver.of("/letter.pdf")
    assert ["Authorization" in request.headers for request in fetches] == [False, True], "credentials are sent when they are asked for"
    for request in fetches:
        holds(desk, key, other_keys, dialect, request, receiver.url, {})
    for request in receiver.of("/status"):
        holds(desk, key, other_keys, dialect, request, receiver.url, request.form())


@pytest.fixture
def alone(dialect, practice, receiver, tmp_path):
    """The practice provider by itself, whose line is the receiver."""
    (tmp_path / "state/sandbox").mkdir(parents=True)
    conf = {"MAILDIR_ROOT_DIR": tmp_path, "PUBLIC_URL": receiver.plain, "PUBLIC_HOSTNAME": "localhost", "PUBLIC_PORT": receiver.port, "STATE_DIR": tmp_path / "state", "SANDBOX_DIALECT": dialect,
            "INBOUND_AUTH_USER": receiver.user, "INBOUND_AUTH_PASS": receiver.password, "PROVIDER_CA_FILE": practice.ca,
            **{name: practice.conf[name] for name in ("TWILIO_SID", "TWILIO_TOKEN", "WEBHOOK_SIGNING_KEY") if name in practice.conf}}
    path = tmp_path / "faxline.conf"
    path.write_text("".join(f"{name}={value}\n" for name, value in conf.items()), encoding="utf-8")
    with Program([os.path.join(ROOT, BUILD, "cgi-bin/sandbox")], str(tmp_path), env={"FAXLINE_CONF": str(path), "PATH": os.environ["PATH"]}) as program:
        yield program


def arrives(alone, practice, document):
    headers = {"Authorization": basic(practice.conf["TWILIO_SID"], practice.conf["TWILIO_TOKEN"]), "Content-Type": "application/pdf"}
    sent = alone.ask("POST", "/sandbox/receive?From=%2B12125550100", document, headers=headers)
    assert sent.status == 201, sent.body
    return sent.json()["sid"]


@pytest.mark.parametrize("stored", [True, False], ids=["stored", "in the payload"])
def test_what_comes_in_is_announced_and_delivered_signed(dialect, desk, key, other_keys, practice, receiver, alone, stored):
    """The answer to the first webhook is the library's own, too. SignalWire always stores: there storeMedia means nothing."""
    def receive(_):
        return "text/xml", desk.receive({"action": f"{receiver.url}/arrived?t=a+b%2B", "mediaType": "application/pdf", "pageSize": "a4", "storeMedia": stored}).encode()

    receiver.pages["/fax/initialize"] = receive
    document = receiver.pages["/letter.pdf"][1]
    arrives(alone, practice, document)
    stored = stored or dialect == "signalwire"
    payload = wait_until(lambda: next((request for request in receiver.of("/arrived") if "Authorization" in request.headers), None))
    for request in receiver.of("/fax/initialize"):
        assert set(request.form()) == {"FaxSid", "AccountSid", "From", "To", "ApiVersion"}
        holds(desk, key, other_keys, dialect, request, receiver.url, request.form())
    assert payload.target == "/arrived?t=a+b%2B"
    fields = payload.form() if stored else None
    if not stored:
        whole = email.message_from_bytes(b"Content-Type: " + payload.headers["Content-Type"].encode() + b"\r\n\r\n" + payload.body, policy=email.policy.HTTP)
        parts = {part.get_param("name", header="content-disposition"): part.get_payload(decode=True) for part in whole.iter_parts()}
        assert parts.pop("Media") == document
        fields = {name: value.decode() for name, value in parts.items()}
    assert fields["FaxStatus"] == "received" and fields["NumPages"] == "1" and ("MediaUrl" in fields) == stored
    assert ("MediaSid" in fields, "Timestamp" in fields) == (dialect == "signalwire",) * 2
    holds(desk, key, other_keys, dialect, payload, receiver.url, fields)


def test_a_rejection_that_the_library_wrote_ends_a_fax(dialect, desk, practice, receiver, alone):
    """Twilio's library knows none."""
    if dialect == "twilio":
        assert refusal(desk.reject) == (None, None)
        return
    receiver.pages["/fax/initialize"] = lambda _: ("text/xml", desk.reject().encode())
    sid = arrives(alone, practice, receiver.pages["/letter.pdf"][1])
    headers = {"Authorization": basic(practice.conf["TWILIO_SID"], practice.conf["TWILIO_TOKEN"])}
    path = dialects.places(dialect, "", practice.conf["TWILIO_SID"])[0]
    assert wait_until(lambda: (lambda fax: fax["status"] if fax["status"] in FINAL else None)(alone.ask("GET", f"{path}/{sid}", headers=headers).json())) == "canceled"


# --- what our webhooks take


def asked(practice, dialect, method, path, parameters, signature):
    headers = {HEADER[dialect]: signature}
    if method == "GET":
        return requests.get(practice.public + path, headers=headers, verify=practice.ca, timeout=20)
    return requests.post(practice.public + path, data=parameters, headers=headers, verify=practice.ca, timeout=20)


def first(practice, sid, **more):
    return {"FaxSid": sid, "AccountSid": practice.conf["TWILIO_SID"], "From": "+12125550100", "To": OURS, "ApiVersion": "v1", **more}


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_first_webhook_that_the_library_signed_is_taken(dialect, desk, key, other_keys, practice, method):
    fields = first(practice, new_sid(dialect), **WORDS)
    path = "/fax/initialize" + ("?" + urlencode(fields) if method == "GET" else "")
    signature = desk.sign(key, practice.public + path, {} if method == "GET" else fields)
    answer = asked(practice, dialect, method, path, fields, signature)
    assert answer.status_code == 200, answer.text

    # What we answer is what the library would have written.
    receive = ElementTree.fromstring(answer.content).find("Receive")
    assert receive.get("action").startswith(practice.public + "/fax/payload?t=") and set(receive.attrib) <= RECEIVE[dialect]
    theirs = ElementTree.fromstring(desk.receive(dict(receive.attrib)))
    assert [(element.tag, element.attrib) for element in theirs.iter()] == [(element.tag, element.attrib) for element in ElementTree.fromstring(answer.content).iter()]

    assert asked(practice, dialect, method, path, fields, one_bit_off(signature)).status_code == 403
    for other in other_keys:
        assert asked(practice, dialect, method, path, fields, desk.sign(other, practice.public + path, {} if method == "GET" else fields)).status_code == 403
    changed = {**fields, "From": "+12125550101"}
    other_path = "/fax/initialize" + ("?" + urlencode(changed) if method == "GET" else "")
    assert asked(practice, dialect, method, other_path, changed, signature).status_code == 403


def test_a_signature_without_the_port_is_taken_from_twilio(dialect, desk, key, practice):
    """Twilio signs with or without it. SignalWire's documentation leaves out no port but the standard one."""
    fields = first(practice, new_sid(dialect))
    without_port = re.sub(r":\d+$", "", practice.public)
    signed = {port: desk.sign(key, f"{without_port}{port}/fax/initialize", fields) for port in ("", ":1")}
    statuses = {port: asked(practice, dialect, "POST", "/fax/initialize", fields, signature).status_code for port, signature in signed.items()}
    assert statuses == {"": 200 if dialect == "twilio" else 403, ":1": 403}


def test_a_name_that_is_there_several_times_is_taken_as_the_library_signed_it(dialect, desk, key, practice):
    """SignalWire signs the values as they came; what Twilio's last library does is not what its documentation says."""
    fields = first(practice, new_sid(dialect), Digits=["5678", "1234", "1234"] if dialect == "signalwire" else ["1234", "5678"])
    signature = desk.sign(key, practice.public + "/fax/initialize", fields)
    assert asked(practice, dialect, "POST", "/fax/initialize", fields, signature).status_code == 200
    changed = {**fields, "Digits": fields["Digits"][::-1]}
    assert asked(practice, dialect, "POST", "/fax/initialize", changed, signature).status_code == (403 if dialect == "signalwire" else 200)


def test_a_payload_that_the_library_signed_is_taken(dialect, desk, key, other_keys, practice, receiver, send):
    """Without the token in the address the signature alone admits it; the document is fetched at the provider."""
    url = final(desk, send(storeMedia=True)["sid"])["mediaUrl"]
    sid = new_sid(dialect)
    fields = first(practice, sid, FaxStatus="received", NumPages="1", MediaUrl=url, **WORDS, **({"MediaSid": new_sid(dialect), "Timestamp": "2026-01-02T03:04:05Z"} if dialect == "signalwire" else {}))
    signature = desk.sign(key, practice.public + "/fax/payload", fields)
    assert asked(practice, dialect, "POST", "/fax/payload", {**fields, "NumPages": "2"}, signature).status_code == 403
    assert asked(practice, dialect, "POST", "/fax/payload", fields, one_bit_off(signature)).status_code == 403
    for other in other_keys:
        assert asked(practice, dialect, "POST", "/fax/payload", fields, desk.sign(other, practice.public + "/fax/payload", fields)).status_code == 403
    answer = asked(practice, dialect, "POST", "/fax/payload", fields, signature)
    assert answer.status_code == 200, answer.text
    mail = practice.mail_of(sid)
    [attached] = [part for part in mail.iter_attachments() if part.get_content_type() == "application/pdf"]
    assert attached.get_content() == receiver.pages["/letter.pdf"][1]
