"""The provider's four routes, asked as a provider would, and as somebody who is none."""
import concurrent.futures
import io
import os
import re
import secrets
import socket
import ssl
import urllib.parse
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


def log_of(line, program="inbound"):
    with open(os.path.join(line.run_dir, "log", program + ".log"), encoding="utf-8", errors="replace") as file:
        return file.read()


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
    assert len([mail for mail in line.mails() if mail["X-Fax-Sid"] == sid and mail["X-Faxline"] == "received"]) == 1


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


def refused(line, person):
    return person.get(line.lan + "/api/line").json()["refused"]


def counted(line):
    text = requests.get(line.lan + "/metrics", verify=line.ca).text
    return int(re.search(r"^faxline_refused_webhooks_total (\d+)$", text, re.M)[1])


def test_a_refused_webhook_of_ours_is_shown_with_its_cause_until_one_is_taken(line, person):
    ours = {"FaxSid": new_sid(), "AccountSid": line.conf["TWILIO_SID"], "From": "+12125550100", "To": "+15005550006"}
    first_webhook(line, new_sid())
    assert refused(line, person) is None
    before = counted(line)
    url = line.public + "/fax/initialize"
    other = "https://fax.example.org:444"
    cases = [
        ("webhook_unsigned", {}),
        ("webhook_signature_wrong", {"X-Twilio-Signature": line.sign(url, ours.items(), key="another key")}),
        ("webhook_other_url", {"X-Twilio-Signature": line.sign(other + "/fax/initialize", ours.items()), "Host": "fax.example.org:444"}),
    ]
    for count, (cause, headers) in enumerate(cases, 1):
        assert requests.post(url, data=ours, headers=headers, verify=line.ca).status_code == 403
        shown = refused(line, person)
        assert shown["count"] == count and shown["cause"]["code"] == cause and shown["cause"]["advice"], shown
    assert f"(signed for {other})" in shown["cause"]["text"] and "PUBLIC_URL" in shown["cause"]["advice"]
    assert line.webhook("/fax/initialize", ours, signed=False, method="GET").status_code == 403
    assert refused(line, person)["count"] == 4 and counted(line) == before + 4
    # What does not name our account and number is a stranger's.
    for wrong in ({"AccountSid": "AC" + "0" * 32}, {"To": "+15005550007"}):
        assert line.webhook("/fax/initialize", {**ours, **wrong}, signed=False).status_code == 403
    assert counted(line) == before + 4
    first_webhook(line, new_sid())
    assert refused(line, person) is None and counted(line) == before + 4
    log = log_of(line)
    for cause, _ in cases:
        assert re.search(rf'level=warning .*perhaps a lost fax.* cause={cause} .* cure="', log), cause
    assert line.conf["TWILIO_TOKEN"] not in log and "12125550100" not in log


def test_payloads_by_get_signed_or_by_token_with_names_twice_and_strange_bytes(line, person):
    sid = new_sid()
    fields = {"FaxSid": sid, "AccountSid": line.conf["TWILIO_SID"], "From": "+12125550100", "To": "+15005550006"}
    answer = line.webhook("/fax/initialize", fields, method="GET")
    action = ElementTree.fromstring(answer.text).find("Receive").get("action")
    strange = urllib.parse.urlencode([("FaxSid", sid), ("FaxStatus", "failed"), ("ErrorCode", "34100"), ("From", "+1212\0\r\nBcc: x"), ("Tag", "b"), ("Tag", "a")])
    assert requests.get(action + "&" + strange, verify=line.ca).status_code == 200
    fax = fax_of(line, person, sid, "failed")
    assert "\n" not in fax["from"] and "\0" not in fax["from"]
    sid = new_sid()
    url = line.public + "/fax/payload?" + strange.replace(fields["FaxSid"], sid)
    assert requests.get(url, verify=line.ca).status_code == 403
    assert requests.get(url, headers={"X-Twilio-Signature": line.sign(url)}, verify=line.ca).status_code == 200
    assert fax_of(line, person, sid, "failed")["cause"]["code"]
    # The same by POST: sorted, without repetition, as the provider's own library signs.
    sid = new_sid()
    pairs = [("FaxSid", sid), ("FaxStatus", "failed"), ("Tag", "b"), ("Tag", "a"), ("Tag", "b"), ("Note", "a\0\r\nb")]
    url = line.public + "/fax/payload"
    signature = line.sign(url, set(pairs))
    assert requests.post(url, data=pairs, headers={"X-Twilio-Signature": signature}, verify=line.ca).status_code == 200
    assert fax_of(line, person, sid, "failed")
    assert requests.post(url, data=pairs[:-1], headers={"X-Twilio-Signature": signature}, verify=line.ca).status_code == 403


def test_callbacks_in_any_order_and_what_is_blocked(documents):
    """Callbacks are hints: what the API says counts, and a final word stays."""
    import fake_provider
    provider = fake_provider.Provider()
    line = Line(FAX_PROVIDER="twilio", PROVIDER_URL=provider.url, TWILIO_FAX_NUMBER="+15005550006", INBOUND_AUTH_USER="prov", INBOUND_AUTH_PASS="p:@/ss", INBOUND_AUTH_MEDIA="false",
                BLOCKED_SENDERS="+12125550199", RECEIVE_PAGE_SIZE="a4", RETRY_LIMIT="0")
    words = ["queued", "processing", "sending", "delivered", "busy", "no-answer", "failed", "canceled", "nonsense"]
    auth = ("prov", "p:@/ss")
    try:
        line.start()
        person = line.browser_session()

        def send(number):
            calls = len(provider.calls)
            made = line.send(person, number, documents["letter"]).json()
            call = wait_until(lambda: len(provider.calls) > calls and provider.calls[-1])
            sid = wait_until(lambda: line.fax(person, made["id"])["provider_id"])
            return made["id"], sid, call

        def call_back(call, sid, word, **more):
            url = call["StatusCallback"].replace("prov:p%3A%40%2Fss@", "")
            fields = {"FaxSid": sid, "AccountSid": line.conf["TWILIO_SID"], "FaxStatus": word, "From": call["From"], "To": call["To"], **more}
            for _ in range(2):
                assert requests.post(url, data=fields, verify=line.ca, auth=auth).status_code == 200
            assert requests.get(url, params=fields, verify=line.ca, auth=auth).status_code == 200

        ident, sid, call = send("+12125551212")
        # The capability alone admits to the document.
        assert "@" not in call["MediaUrl"] and requests.get(call["MediaUrl"], verify=line.ca).status_code == 200
        for word in words + words[::-1]:
            call_back(call, sid, word)
        seen = provider.fetches
        wait_until(lambda: provider.fetches > seen, 20)
        assert line.fax(person, ident)["final"] is False, "the API says that it is under way"
        provider.faxes[sid].update(status="delivered", num_pages=1)
        call_back(call, sid, "failed", ErrorCode="34002", ErrorMessage="busy")
        assert line.final(person, ident)["status"] == "delivered"
        provider.faxes[sid].update(status="failed")
        for word in words:
            call_back(call, sid, word)
        assert line.fax(person, ident)["status"] == "delivered", "the provider's final word stays"
        for word, status, cause in (("busy", "failed", "busy"), ("no-answer", "failed", "no_answer"), ("canceled", "canceled", "canceled_at_provider"), ("failed", "failed", "transmission_error")):
            ident, sid, call = send("+12125551213")
            provider.faxes[sid].update(status=word)
            call_back(call, sid, "delivered", **({"ErrorCode": "34004"} if word == "failed" else {}))
            fax = line.final(person, ident)
            assert (fax["status"], fax["cause"]["code"]) == (status, cause)
            provider.faxes[sid].update(status="delivered")
            call_back(call, sid, "delivered")
            assert line.fax(person, ident)["status"] == status
        # Another account's, a stranger's.
        ident, sid, call = send("+12125551214")
        call_back(call, sid, "failed", AccountSid="AC" + "0" * 32, ErrorCode="34002")
        url = call["StatusCallback"].replace("prov:p%3A%40%2Fss@", "")
        assert requests.post(url, data={"FaxSid": sid}, verify=line.ca).status_code == 401
        assert requests.post(url[:-4] + "AAAA", data={"FaxSid": sid}, verify=line.ca, auth=auth).status_code == 404
        assert "callback of another account, ignored" in log_of(line)
        provider.faxes[sid].update(status="delivered", num_pages=1)
        call_back(call, sid, "delivered")
        assert line.final(person, ident)["status"] == "delivered"
        # This provider cannot refuse: nothing is lost for it.
        for sender in ("+12125550199", "+12125550100"):
            for method in ("POST", "GET"):
                answer = line.webhook("/fax/initialize", {"FaxSid": new_sid(), "AccountSid": line.conf["TWILIO_SID"], "From": sender, "To": "+15005550006"}, method=method, auth=auth)
                receive = ElementTree.fromstring(answer.text).find("Receive")
                assert receive.get("pageSize") == "a4" and receive.get("action").startswith("https://prov:p%3A%40%2Fss@")
        assert "blocked sender is taken" in log_of(line)
    finally:
        line.close()
        provider.close()


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
