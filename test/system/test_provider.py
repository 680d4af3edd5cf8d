"""The provider's four routes, asked as a provider would, and as somebody who is none."""
import concurrent.futures
import io
import os
import secrets
import socket
import ssl
import xml.etree.ElementTree as ElementTree

import pytest
import requests

from line import Line, sha256, wait_until


def new_sid():
    return "FX" + secrets.token_hex(16)


def first_webhook(line, sid, sender="+12125550100", **more):
    fields = {"FaxSid": sid, "AccountSid": line.conf["TWILIO_SID"], "From": sender, "To": "+15005550006", "ApiVersion": "v1", **more}
    answer = line.webhook("/fax/initialize", fields)
    assert answer.status_code == 200, answer.text
    receive = ElementTree.fromstring(answer.text).find("Receive")
    assert receive.get("method", "POST") == "POST" and receive.get("mediaType") == "application/pdf"
    action = receive.get("action")
    assert action.startswith(line.public + "/fax/payload?t=")
    return action, fields


def fax_of(line, person, sid, status="received"):
    return wait_until(lambda: next((fax for fax in line.received(person) if fax["provider_id"] == sid and fax["status"] == status), None), 30)


def post_media(line, action, fields, document, order="fields first"):
    parts = [(name, (None, value)) for name, value in fields.items()]
    media = ("Media", ("fax.pdf", document, "application/pdf"))
    parts = parts + [media] if order == "fields first" else [media] + parts
    return requests.post(action, files=parts, verify=line.ca)


def test_the_public_listener_has_four_routes_and_nothing_else(line):
    for path in ("/", "/index.html", "/api/ping", "/api/session", "/healthz", "/metrics", "/fax", "/fax/", "/fax/sending/", "/fax/callback/", "/fax/initialize/x", "/fax/payloads", "/openapi.yaml", "/internal/handout/x", "/.well-known/acme-challenge/x"):
        answer = requests.get(line.public + path, verify=line.ca)
        assert answer.status_code == 404, path
    for method, path in (("PUT", "/fax/initialize"), ("DELETE", "/fax/payload"), ("POST", "/fax/sending/abc"), ("PUT", "/fax/callback/abc")):
        assert requests.request(method, line.public + path, verify=line.ca).status_code == 405, path
    assert requests.get(line.acme + "/").status_code == 404
    assert requests.get(line.acme + "/.well-known/acme-challenge/nothing").status_code == 404
    challenges = os.path.join(line.conf.get("STATE_DIR", line.run_dir + "/state"), "acme/.well-known/acme-challenge")
    os.makedirs(challenges, exist_ok=True)
    os.chmod(os.path.dirname(challenges), 0o755)
    os.chmod(challenges, 0o755)
    with open(challenges + "/word", "w", encoding="utf-8") as file:
        file.write("answer")
    os.chmod(challenges + "/word", 0o644)
    assert requests.get(line.acme + "/.well-known/acme-challenge/word").text == "answer"


def test_first_webhook_by_post_and_get_signed_or_refused(line):
    sid = new_sid()
    first_webhook(line, sid)
    fields = {"FaxSid": new_sid(), "From": "+1", "To": "+15005550006"}
    assert line.webhook("/fax/initialize", fields, method="GET").status_code == 200
    assert line.webhook("/fax/initialize", fields, signed=False).status_code == 403
    assert line.webhook("/fax/initialize", fields, headers={"X-Twilio-Signature": line.sign(line.public + "/fax/initialize", fields.items(), key="other")}, signed=False).status_code == 403
    signalwire = {"X-SignalWire-Signature": line.sign(line.public + "/fax/initialize", fields.items())}
    assert line.webhook("/fax/initialize", fields, signed=False, headers=signalwire).status_code == 200
    url = line.public + "/fax/initialize"
    assert requests.post(url, data=fields, headers={"X-Twilio-Signature": line.sign(url, fields.items()), "Host": "evil.example"}, verify=line.ca).status_code == 200, "signatures go by PUBLIC_URL, never by Host"


@pytest.mark.parametrize("order", ["fields first", "media first"])
def test_media_in_the_payload_whatever_the_order(line, person, documents, order):
    sid = new_sid()
    action, fields = first_webhook(line, sid)
    with open(documents["letter"], "rb") as file:
        whole = file.read()
    answer = post_media(line, action, {**fields, "FaxStatus": "received", "NumPages": "1"}, whole, order)
    assert answer.status_code == 200, answer.text
    fax = fax_of(line, person, sid)
    assert person.get(f"{line.lan}/api/faxes/{fax['id']}/document.pdf").content == whole
    assert fax["pages"] == 1


def test_the_same_payload_ten_times_at_once_is_one_fax_and_one_mail(line, person, documents):
    sid = new_sid()
    action, fields = first_webhook(line, sid)
    with open(documents["letter"], "rb") as file:
        whole = file.read()
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: post_media(line, action, {**fields, "FaxStatus": "received"}, whole).status_code, range(10)))
    assert answers == [200] * 10
    fax_of(line, person, sid)
    assert len([fax for fax in line.received(person, limit=200) if fax["provider_id"] == sid]) == 1
    line.mail_of(sid)
    assert len([mail for mail in line.mails() if mail["X-Fax-Sid"] == sid]) == 1


def test_a_failed_reception_is_recorded_shown_and_announced(line, person):
    sid = new_sid()
    action, fields = first_webhook(line, sid, sender="+12125550177")
    answer = requests.post(action, data={**fields, "FaxStatus": "failed", "ErrorCode": "34004", "ErrorMessage": "Transmission error"}, verify=line.ca)
    assert answer.status_code == 200
    fax = fax_of(line, person, sid, "failed")
    assert fax["final"] is True and fax["cause"]["text"]
    notice = line.mail_of(sid)
    assert notice["X-Faxline"] == "notice" and not any(part.get_content_type() == "application/pdf" for part in notice.walk())
    assert "+12125550177" in notice["Subject"]
    assert person.get(f"{line.lan}/api/faxes/{fax['id']}/document.pdf").status_code == 404


def test_a_late_document_completes_a_record_that_had_none(line, person, documents):
    sid = new_sid()
    action, fields = first_webhook(line, sid)
    assert requests.post(action, data={**fields, "FaxStatus": "failed"}, verify=line.ca).status_code == 200
    with open(documents["letter"], "rb") as file:
        whole = file.read()
    assert post_media(line, action, {**fields, "FaxStatus": "received"}, whole).status_code == 200
    fax = fax_of(line, person, sid)
    assert person.get(f"{line.lan}/api/faxes/{fax['id']}/document.pdf").content == whole


def test_payloads_that_are_not_the_providers(line, person, documents):
    sid = new_sid()
    action, fields = first_webhook(line, sid)
    with open(documents["letter"], "rb") as file:
        whole = file.read()
    token = action.split("t=")[1]
    wrong = action[:-3] + ("AAA" if not action.endswith("AAA") else "BBB")
    assert post_media(line, wrong, fields, whole).status_code == 403
    assert post_media(line, line.public + "/fax/payload", fields, whole).status_code == 403
    assert post_media(line, action, {**fields, "FaxSid": new_sid()}, whole).status_code == 403, "the token is for one FaxSid"
    assert requests.post(line.public + "/fax/payload", data={**fields, "MediaUrl": "https://evil.example/x.pdf"}, verify=line.ca).status_code == 403
    # Without a token a matching signature admits.
    signed = line.webhook("/fax/payload", {**fields, "FaxStatus": "failed"})
    assert signed.status_code == 200
    assert token


def test_broken_payloads_get_a_clear_answer_and_end_nothing(line):
    action, _ = first_webhook(line, new_sid())
    bodies = [
        ("multipart/form-data; boundary=x", b"--x\r\n Content-Disposition: form-data; name=\"Media\"; filename=\"a.pdf\"\r\n\r\nb\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=\"Media\"; filename=\"a.pdf\"\r\n\r\n%PDF-1.4 cut"),
        ("multipart/form-data", b"--x--\r\n"),
        ("multipart/form-data; boundary=x", b""),
        ("application/x-www-form-urlencoded", b"FaxSid=%zz"),
        ("text/plain", b"hello"),
    ]
    for content_type, body in bodies:
        answer = requests.post(action, data=body, headers={"Content-Type": content_type}, verify=line.ca)
        assert 400 <= answer.status_code < 500, (content_type, body, answer.status_code)
    assert requests.get(line.lan + "/api/ping", verify=line.ca).status_code == 200


def test_a_payload_that_is_cut_off_leaves_nothing(line, person):
    sid = new_sid()
    action, fields = first_webhook(line, sid)
    host, port = line.public.removeprefix("https://").split(":")
    context = ssl.create_default_context(cafile=line.ca)
    with context.wrap_socket(socket.create_connection((host, int(port))), server_hostname=host) as connection:
        path = action.removeprefix(line.public)
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 100000\r\n\r\n--x\r\n".encode())
    assert not [fax for fax in line.received(person) if fax["provider_id"] == sid and fax["status"] != "receiving"]


def test_a_line_feed_in_from_cannot_write_a_mails_header(line, person, documents):
    sid = new_sid()
    action, fields = first_webhook(line, sid, sender="+1212\r\nBcc: victim@example.org\r\nSubject: owned\r\n\r\nbody")
    with open(documents["letter"], "rb") as file:
        assert post_media(line, action, {**fields, "FaxStatus": "received"}, file.read()).status_code == 200
    mail = line.mail_of(sid)
    assert mail["Bcc"] is None and mail.get_all("Subject") == [mail["Subject"]] and "\n" not in mail["Subject"]
    assert mail["X-Faxline"] == "received"



def test_media_url_with_head_range_wrong_token_and_twice(documents):
    import fake_provider
    provider = fake_provider.Provider()
    line = Line(FAX_PROVIDER="twilio", PROVIDER_URL=provider.url, TWILIO_FAX_NUMBER="+15005550006", INBOUND_AUTH_USER="prov", INBOUND_AUTH_PASS="p:@/ss")
    try:
        line.start()
        assert line.ready["sandbox"] == "none"
        person = line.browser_session()
        with open(documents["scan"], "rb") as file:
            whole = file.read()
        made = line.send(person, "+12125551212", documents["scan"]).json()
        call = wait_until(lambda: provider.calls and provider.calls[-1])
        assert call["From"] == "+15005550006" and call["To"] == "+12125551212" and call["StoreMedia"] == "false"
        assert call["MediaUrl"].startswith(f"https://prov:p%3A%40%2Fss@localhost:{line.ports['PUBLIC_PORT']}/fax/sending/")
        url = call["MediaUrl"].replace("prov:p%3A%40%2Fss@", "")
        auth = ("prov", "p:@/ss")
        bare = requests.get(url, verify=line.ca)
        assert bare.status_code == 401 and "Basic realm=" in bare.headers["WWW-Authenticate"]
        wrong = requests.get(url[:-4] + "AAAA", verify=line.ca, auth=auth)
        assert wrong.status_code == 404 and wrong.content == b""
        head = requests.head(url, verify=line.ca, auth=auth)
        assert head.status_code == 200 and int(head.headers["Content-Length"]) == len(whole)
        part = requests.get(url, verify=line.ca, auth=auth, headers={"Range": "bytes=0-9"})
        assert part.status_code == 206 and part.content == whole[:10]
        for _ in range(2):
            answer = requests.get(url, verify=line.ca, auth=auth)
            assert answer.status_code == 200 and sha256(answer.content) == sha256(whole) and answer.headers["Content-Type"] == "application/pdf"
        sid = provider.last_sid
        callback = call["StatusCallback"].replace("prov:p%3A%40%2Fss@", "")
        fields = {"FaxSid": sid, "FaxStatus": "delivered", "From": call["From"], "To": call["To"]}
        assert requests.post(callback, data=fields, verify=line.ca).status_code == 401
        # A callback is a hint: the API says otherwise, and the API counts.
        assert requests.post(callback, data=fields, verify=line.ca, auth=auth).status_code == 200
        assert requests.post(callback[:-4] + "AAAA", data=fields, verify=line.ca, auth=auth).status_code == 404
        wait_until(lambda: provider.fetches >= 2, 20)
        assert line.fax(person, made["id"])["final"] is False
        provider.faxes[sid].update(status="delivered", num_pages=1)
        requests.post(callback, data=fields, verify=line.ca, auth=auth)
        assert line.final(person, made["id"])["status"] == "delivered"
        over = requests.get(url, verify=line.ca, auth=auth)
        assert over.status_code == 404 and over.content == b"", "the URL ends when the attempt is final"
        with open(os.path.join(line.run_dir, "log/access.log"), encoding="utf-8") as log:
            text = log.read()
        assert "/fax/sending/" in text and url.rsplit("/", 1)[1] not in text
    finally:
        line.close()
        provider.close()


def test_provider_down_at_submit_and_lost_answers(documents):
    import fake_provider
    provider = fake_provider.Provider()
    line = Line(FAX_PROVIDER="twilio", PROVIDER_URL=provider.url, TWILIO_FAX_NUMBER="+15005550006")
    try:
        provider.close()
        line.start()
        person = line.browser_session()
        made = line.send(person, "+12125551212", documents["letter"]).json()
        fax = wait_until(lambda: (lambda it: it if it["cause"] else None)(line.fax(person, made["id"])))
        assert fax["status"] == "waiting" and fax["cause"]["code"] == "provider_unreachable" and fax["final"] is False
        provider.open()
        # Now the provider takes it but the answer is lost; it never fetched: safe to try again.
        provider.mode = "drop after taking"
        wait_until(lambda: len(provider.calls) >= 1, 30)
        provider.mode = "ok"
        call = wait_until(lambda: len(provider.calls) >= 2 and provider.calls[-1], 40)
        first = provider.calls[0]["MediaUrl"]
        assert requests.get(first, verify=line.ca).status_code == 404, "the lost call's URL is void before the next call is made"
        assert requests.get(call["MediaUrl"], verify=line.ca).status_code == 200
        provider.faxes[provider.last_sid].update(status="delivered", num_pages=1)
        assert line.final(person, made["id"])["status"] == "delivered"
        # Wrong token: nothing fails, the account is held and shown.
        provider.mode = "401"
        held = line.send(person, "+12125551214", documents["letter"]).json()
        fax = wait_until(lambda: (lambda it: it if it["cause"] else None)(line.fax(person, held["id"])))
        assert fax["status"] == "waiting" and fax["cause"]["code"] == "wrong_credentials"
        assert person.get(line.lan + "/api/line").json()["state"] != "ready"
        # A well-formed refusal fails at once.
    finally:
        line.close()
        provider.close()
