"""Judged by clients that nobody here wrote: the providers' own libraries, at our practice provider and at our webhooks."""
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
from fastcgi_client import Program  # noqa: E402

OURS, SOMEBODY = "+15005550006", "+12125551212"
FINAL = ("delivered", "received", "no-answer", "busy", "failed", "canceled")
HEADER = {"twilio": "X-Twilio-Signature", "signalwire": "X-SignalWire-Signature"}
# Values that a form writes otherwise than they are: the signature is of what they are.
WORDS = {"RemoteStationId": " Dr. Müller & Söhne + 100 % ", "Empty": "", "ErrorMessage": "a=b;c?d/e~f*'(\"\u20ac)"}


# What the documentations have differently.
SID = {"twilio": r"FX[0-9a-f]{32}", "signalwire": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"}
RECEIVE = {"twilio": {"action", "method", "mediaType", "pageSize", "storeMedia"}, "signalwire": {"action", "method", "mediaType", "pageSize"}}


def new_sid(dialect):
    return "FX" + os.urandom(16).hex() if dialect == "twilio" else str(uuid.uuid4())


both = pytest.mark.parametrize("dialect", ["twilio", "signalwire"], indirect=True)


@pytest.fixture(scope="module")
def dialect(request):
    return getattr(request, "param", "twilio")


@pytest.fixture(scope="module")
def practice(dialect):
    """A line whose practice provider speaks the dialect."""
    it = Line(SANDBOX_DIALECT=dialect, RECONCILE_SECONDS="3600").start()
    yield it
    it.close()


@pytest.fixture(scope="module")
def key(practice):
    return practice.conf.get("WEBHOOK_SIGNING_KEY") or practice.conf["TWILIO_TOKEN"]


@pytest.fixture(scope="module")
def desk(dialect, practice):
    with Desk(dialect, practice.ready["sandbox"], practice.conf["TWILIO_SID"], practice.conf["TWILIO_TOKEN"], practice.ca) as it:
        yield it


@pytest.fixture
def receiver(practice, documents):
    it = Receiver(f"{practice.run_dir}/tls/server.pem", f"{practice.run_dir}/tls/server.key")
    with open(documents["letter"], "rb") as file:
        it.pages["/letter.pdf"] = ("application/pdf", file.read())
    yield it
    it.close()


@pytest.fixture
def send(desk, receiver):
    return lambda to=SOMEBODY, **more: desk.create(**{"to": to, "from": OURS, "mediaUrl": f"{receiver.url}/letter.pdf", **more})


def final(desk, sid, seconds=30):
    return wait_until(lambda: (lambda fax: fax if fax["status"] in FINAL else None)(desk.fetch(sid)), seconds, 0.3)


def refusal(what, *words):
    with pytest.raises(Refused) as refused:
        what(*words)
    return refused.value.status, refused.value.code


def is_now(text):
    return abs(datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))) < datetime.timedelta(seconds=60)


# --- the API


def test_creates_and_follows_a_fax(dialect, desk, practice, send):
    fax = send(quality="superfine", storeMedia=True, ttl=30)
    assert re.fullmatch(SID[dialect], fax["sid"]) and fax["accountSid"] == practice.conf["TWILIO_SID"]
    assert (fax["from"], fax["to"], fax["direction"], fax["status"], fax["quality"]) == (OURS, SOMEBODY, "outbound", "queued", "superfine")
    assert fax["numPages"] is None and fax["duration"] is None and fax["mediaUrl"] is None and fax["price"] is None and fax["apiVersion"] == "v1"
    assert is_now(fax["dateCreated"]) and is_now(fax["dateUpdated"])
    assert fax["url"] == f"{practice.ready['sandbox']}/v1/Faxes/{fax['sid']}" and fax["links"] == {"media": fax["url"] + "/Media"}
    done = final(desk, fax["sid"])
    assert done["status"] == "delivered" and done["numPages"] == 1 and done["duration"] >= 1
    assert done["dateCreated"] == fax["dateCreated"] and done["dateUpdated"] > fax["dateCreated"]


def test_lists_page_by_page_and_by_what_is_asked(desk, send):
    sids = [send(to)["sid"] for to in ("+12125550101", "+12125550102", "+12125550101", "+12125550103", "+12125550101")]
    newest = [fax["sid"] for fax in desk.list(pageSize=2, limit=5)]
    assert newest == sids[::-1], "newest first, across three pages"
    every = [fax["sid"] for fax in desk.list(pageSize=3)]
    assert set(sids) <= set(every) and len(every) == len(set(every))
    assert [fax["sid"] for fax in desk.list(to="+12125550101", pageSize=1)] == [sids[4], sids[2], sids[0]]
    assert desk.list(**{"from": "+12125550101"}) == []
    created = desk.fetch(sids[0])["dateCreated"]
    assert sids[0] in [fax["sid"] for fax in desk.list(dateCreatedOnOrBefore=created)], "on or before is at the same second, too"
    assert sids[0] not in [fax["sid"] for fax in desk.list(dateCreatedAfter=created)], "after is strictly later"
    assert desk.list(dateCreatedAfter="2099-01-01T00:00:00Z") == [] and desk.list(dateCreatedOnOrBefore="2001-01-01T00:00:00Z") == []


def test_cancels_a_fax_and_is_told_when_it_cannot_be(desk, send):
    sid = send("+15005550004")["sid"]
    assert desk.cancel(sid)["status"] == "canceled"
    assert desk.fetch(sid)["status"] == "canceled"
    assert refusal(desk.cancel, sid) == (400, 10000)
    assert desk.fetch(sid)["status"] == "canceled"


def test_deletes_a_fax_when_it_is_over(desk, send):
    sid = send()["sid"]
    assert refusal(desk.remove, sid)[0] == 409
    final(desk, sid)
    assert desk.remove(sid) is True
    assert refusal(desk.fetch, sid) == (404, 20404) and refusal(desk.remove, sid) == (404, 20404)
    assert sid not in [fax["sid"] for fax in desk.list()]


def test_lists_fetches_and_deletes_a_document(desk, practice, receiver, send):
    sid = send(storeMedia=True)["sid"]
    fax = final(desk, sid)
    [media] = desk.media_list(sid)
    assert (media["faxSid"], media["contentType"]) == (sid, "application/pdf") and media["sid"] == fax["mediaSid"]
    assert desk.media_fetch(sid, media["sid"]) == media
    assert requests.get(fax["mediaUrl"], verify=practice.ca, timeout=20).content == receiver.pages["/letter.pdf"][1]
    assert desk.media_remove(sid, media["sid"]) is True
    assert desk.media_list(sid) == [] and refusal(desk.media_fetch, sid, media["sid"]) == (404, 20404)
    assert desk.fetch(sid)["mediaUrl"] is None


def test_keeps_no_document_that_is_not_to_be_kept(desk, send):
    sid = send(storeMedia=False)["sid"]
    assert final(desk, sid)["mediaUrl"] is None and desk.media_list(sid) == []


def test_reads_how_faxes_ended(desk, send):
    ends = {"+15005550001": "busy", "+15005550002": "no-answer", "+15005550003": "failed"}
    sids = {number: send(number)["sid"] for number in ends}
    assert {number: final(desk, sid)["status"] for number, sid in sids.items()} == ends


def test_is_refused_in_the_words_of_the_documentation(dialect, desk, practice, send):
    with pytest.raises(Refused) as refused:
        send("+15005550005")
    assert refused.value.status == 400 and refused.value.code == 21211 and refused.value.message and str(refused.value.code) in refused.value.more_info
    for wrong in ({"to": "12125551212"}, {"from": "+12125550000"}, {"mediaUrl": "letter.pdf"}, {"quality": "best"}):
        with pytest.raises(Refused) as refused:
            send(**wrong)
        assert refused.value.status == 400 and refused.value.code and refused.value.message, wrong
    with Desk(dialect, practice.ready["sandbox"], practice.conf["TWILIO_SID"], "another token", practice.ca) as stranger:
        assert refusal(stranger.fetch, new_sid(dialect)) == (401, 20003)
    assert refusal(desk.fetch, new_sid(dialect)) == (404, 20404)


# --- what our practice provider signs


def holds(desk, key, dialect, request, url, parameters):
    """The library's verdict, of the request as it was and of its neighbours."""
    signature = request.headers[HEADER[dialect]]
    assert desk.validate(key, signature, url + request.target, parameters) is True, (request.method, request.target, parameters)
    assert desk.validate(key + "x", signature, url + request.target, parameters) is False
    assert desk.validate(key, signature, url + request.target + "x", parameters) is False
    if parameters:
        assert desk.validate(key, signature, url + request.target, {**parameters, "To": parameters["To"] + "0"}) is False


def test_fetches_and_status_callbacks_are_signed(dialect, desk, key, receiver, send):
    sid = send(statusCallback=f"{receiver.url}/status?a=1&b=%C3%A4+x", storeMedia=False)["sid"]
    told = wait_until(lambda: (lambda forms: forms if "delivered" in [form["FaxStatus"] for form in forms] else None)([request.form() for request in receiver.of("/status") if "Authorization" in request.headers]))
    assert all(form["FaxSid"] == sid and form["To"] == SOMEBODY and form["From"] == OURS for form in told)
    assert told[-1]["NumPages"] == "1" and told[-1]["OriginalMediaUrl"] == f"{receiver.url}/letter.pdf"
    fetches = receiver.of("/letter.pdf")
    assert ["Authorization" in request.headers for request in fetches] == [False, True], "credentials are sent when they are asked for"
    for request in fetches:
        holds(desk, key, dialect, request, receiver.url, {})
    for request in receiver.of("/status"):
        holds(desk, key, dialect, request, receiver.url, request.form())


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


@pytest.mark.parametrize("stored", [True, False], ids=["stored", "in the payload"])
def test_what_comes_in_is_announced_and_delivered_signed(dialect, desk, key, practice, receiver, alone, stored):
    """The answer to the first webhook is the library's own, too."""
    def receive(_):
        return "text/xml", desk.receive({"action": f"{receiver.url}/arrived?t=a+b%2B", "mediaType": "application/pdf", "pageSize": "a4", "storeMedia": stored}).encode()

    receiver.pages["/fax/initialize"] = receive
    document = receiver.pages["/letter.pdf"][1]
    headers = {"Authorization": basic(practice.conf["TWILIO_SID"], practice.conf["TWILIO_TOKEN"]), "Content-Type": "application/pdf"}
    sent = alone.ask("POST", "/sandbox/receive?From=%2B12125550100", document, headers=headers)
    assert sent.status == 201, sent.body
    payload = wait_until(lambda: next((request for request in receiver.of("/arrived") if "Authorization" in request.headers), None))
    for request in receiver.of("/fax/initialize"):
        assert set(request.form()) == {"FaxSid", "AccountSid", "From", "To", "ApiVersion"}
        holds(desk, key, dialect, request, receiver.url, request.form())
    assert payload.target == "/arrived?t=a+b%2B"
    fields = payload.form() if stored else None
    if not stored:
        whole = email.message_from_bytes(b"Content-Type: " + payload.headers["Content-Type"].encode() + b"\r\n\r\n" + payload.body, policy=email.policy.HTTP)
        parts = {part.get_param("name", header="content-disposition"): part.get_payload(decode=True) for part in whole.iter_parts()}
        assert parts.pop("Media") == document
        fields = {name: value.decode() for name, value in parts.items()}
    assert fields["FaxStatus"] == "received" and fields["NumPages"] == "1" and ("MediaUrl" in fields) == stored
    holds(desk, key, dialect, payload, receiver.url, fields)


# --- what our webhooks take


def asked(practice, dialect, method, path, parameters, signature):
    headers = {HEADER[dialect]: signature}
    if method == "GET":
        return requests.get(practice.public + path, headers=headers, verify=practice.ca, timeout=20)
    return requests.post(practice.public + path, data=parameters, headers=headers, verify=practice.ca, timeout=20)


def first(practice, sid, **more):
    return {"FaxSid": sid, "AccountSid": practice.conf["TWILIO_SID"], "From": "+12125550100", "To": OURS, "ApiVersion": "v1", **more}


@both
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_first_webhook_that_the_library_signed_is_taken(dialect, desk, key, practice, method):
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

    other_byte = chr(ord(signature[0]) ^ 1) + signature[1:]
    assert asked(practice, dialect, method, path, fields, other_byte).status_code == 403
    assert asked(practice, dialect, method, path, fields, desk.sign(key + "x", practice.public + path, {} if method == "GET" else fields)).status_code == 403
    changed = {**fields, "From": "+12125550101"}
    other_path = "/fax/initialize" + ("?" + urlencode(changed) if method == "GET" else "")
    assert asked(practice, dialect, method, other_path, changed, signature).status_code == 403


@both
def test_a_signature_without_the_port_is_taken(dialect, desk, key, practice):
    """Providers sign with or without it; the libraries try both."""
    fields = first(practice, new_sid(dialect))
    without_port = re.sub(r":\d+$", "", practice.public)
    assert asked(practice, dialect, "POST", "/fax/initialize", fields, desk.sign(key, without_port + "/fax/initialize", fields)).status_code == 200
    assert asked(practice, dialect, "POST", "/fax/initialize", fields, desk.sign(key, without_port + ":1/fax/initialize", fields)).status_code == 403


def test_a_payload_that_the_library_signed_is_taken(dialect, desk, key, practice, receiver, send):
    """Without the token in the address the signature alone admits it; the document is fetched at the provider."""
    url = final(desk, send(storeMedia=True)["sid"])["mediaUrl"]
    sid = new_sid(dialect)
    fields = first(practice, sid, FaxStatus="received", NumPages="1", MediaUrl=url, **WORDS)
    signature = desk.sign(key, practice.public + "/fax/payload", fields)
    assert asked(practice, dialect, "POST", "/fax/payload", {**fields, "NumPages": "2"}, signature).status_code == 403
    assert asked(practice, dialect, "POST", "/fax/payload", fields, signature[:-2] + "A=").status_code == 403
    answer = asked(practice, dialect, "POST", "/fax/payload", fields, signature)
    assert answer.status_code == 200, answer.text
    mail = practice.mail_of(sid)
    [attached] = [part for part in mail.iter_attachments() if part.get_content_type() == "application/pdf"]
    assert attached.get_content() == receiver.pages["/letter.pdf"][1]
