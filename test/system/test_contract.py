"""The contract with the outside, sentence by sentence: what test_api.py, test_line.py and test_provider.py leave open."""
import json
import os
import secrets
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest
import requests

from line import BUILD, ROOT, free_port, wait_until
from test_api import problem

NOBODYS = "01hzzzzzzzzzzzzzzzzzzzzzzz"
FAX = {"id", "direction", "status", "final", "to", "from", "pages", "pages_done", "created", "updated", "cause", "provider", "provider_id", "attempt", "resend_of", "read", "cancel_requested", "practice"}


def read(path):
    with open(path, "rb") as file:
        return file.read()


def ask(line, method, path, **more):
    return requests.request(method, line.lan + path, verify=line.ca, timeout=20, **more)


def inbound(line, person, sid, *states):
    return wait_until(lambda: next((fax for fax in line.received(person) if fax["provider_id"] == sid and fax["status"] in states), None), 20)


def call(line, sender="+12125550100"):
    """A call comes in: the URL that its document is to go to, and the fields of the call."""
    fields = {"FaxSid": "FX" + secrets.token_hex(16), "AccountSid": line.conf["TWILIO_SID"], "From": sender, "To": "+15005550006", "ApiVersion": "v1"}
    answer = line.webhook("/fax/initialize", fields)
    assert answer.status_code == 200, answer.text
    return ElementTree.fromstring(answer.text).find("Receive").get("action"), fields


# --- the order of the checks: path, method, log-in, origin, id, state, content
@pytest.mark.parametrize("method, path", [
    ("GET", "/api/faxes"), ("POST", "/api/faxes"), ("GET", f"/api/faxes/{NOBODYS}"), ("DELETE", f"/api/faxes/{NOBODYS}"), ("POST", f"/api/faxes/{NOBODYS}/cancel"),
    ("POST", f"/api/faxes/{NOBODYS}/resend"), ("POST", f"/api/faxes/{NOBODYS}/read"), ("GET", f"/api/faxes/{NOBODYS}/document.pdf"), ("GET", f"/api/documents/{NOBODYS}"),
    ("POST", "/api/documents"), ("GET", "/api/numbers?q=1"), ("GET", "/api/fax/x")])
def test_each_route_checks_in_the_order_that_is_promised(line, person, method, path):
    answer = ask(line, "PATCH", path)
    problem(answer, 405)
    assert method in answer.headers["Allow"]
    problem(ask(line, method, path), 401)
    cookie = {"__Host-faxline": person.cookies["__Host-faxline"]}
    if method == "GET":
        assert ask(line, "HEAD", path, cookies=cookie).status_code == ask(line, "GET", path, cookies=cookie).status_code
        return
    problem(ask(line, method, path, cookies=cookie), 403)
    problem(ask(line, method, path, cookies=cookie, headers={"Origin": "https://localhost:1", "Sec-Fetch-Site": "same-origin"}), 403)
    if NOBODYS in path:
        problem(ask(line, method, path, cookies=cookie, headers={"Sec-Fetch-Site": "same-origin"}), 404)


def test_a_fax_has_the_members_that_are_promised(line, person, documents):
    made = line.send(person, "(212) 555-1212", documents["scan"]).json()
    problem(person.delete(f"{line.lan}/api/faxes/{made['id']}"), 409)
    fax = line.final(person, made["id"])
    assert set(fax) == FAX | {"events"}
    assert all(set(event) == {"at", "what", "why"} for event in fax["events"])
    listed = person.get(line.lan + "/api/faxes", params={"q": "2125551212", "limit": 1}).json()
    assert set(listed) == {"faxes", "next"} and set(listed["faxes"][0]) == FAX
    problem(person.post(f"{line.lan}/api/faxes/{made['id']}/cancel"), 409)


@pytest.mark.parametrize("key", ["two words", "", "ü".encode(), b"\x7f"])
def test_an_idempotency_key_that_is_none_is_refused(line, person, documents, key):
    assert problem(line.send(person, "+12125551212", documents["scan"], **{"Idempotency-Key": key}), 400)["field"] == "Idempotency-Key"


def test_an_idempotency_key_holds_for_json_too(line, person, documents):
    with open(documents["scan"], "rb") as file:
        document = person.post(line.lan + "/api/documents", files={"file": ("a.pdf", file)})
    assert document.headers["Location"] == f"/api/documents/{document.json()['id']}"
    answers = [person.post(line.lan + "/api/faxes", json={"to": to, "documents": [document.json()["id"]]}, headers={"Idempotency-Key": "json"}) for to in ("+12125551214", "(212) 555-1214", "+12125551215")]
    assert [answer.status_code for answer in answers] == [202, 202, 422]
    assert answers[0].json()["id"] == answers[1].json()["id"] and answers[0].headers["Location"] == answers[1].headers["Location"]


def test_a_fax_goes_to_one_number_and_its_documents_are_called_file(line, person, documents):
    document = ("a.pdf", read(documents["scan"]), "application/pdf")
    said = problem(person.post(line.lan + "/api/faxes", files=[("to", (None, "+12125551212")), ("to", (None, "+12125551213")), ("file", document)]), 400)
    assert said["field"] == "to" and "one number" in said["detail"]
    assert problem(person.post(line.lan + "/api/faxes", files=[("to", (None, "+12125551212")), ("other", document)]), 400)["field"] == "file"
    assert problem(person.post(line.lan + "/api/documents", files={"other": document}), 400)["field"] == "file"
    answer = person.post(line.lan + "/api/faxes", files=[("file", document), ("to", (None, "+12125551212"))])
    assert answer.status_code == 202, "the order of the parts does not matter"


# --- what comes in
@pytest.mark.parametrize("sender", ["anonymous", "+266696687"])
def test_a_withheld_number_is_null(line, person, documents, sender):
    action, fields = call(line, sender)
    parts = [(name, (None, value)) for name, value in {**fields, "FaxStatus": "received", "NumPages": "1"}.items()]
    assert requests.post(action, files=parts + [("Media", ("fax.pdf", read(documents["scan"]), "application/pdf"))], verify=line.ca).status_code == 200
    fax = inbound(line, person, fields["FaxSid"], "received")
    assert fax["from"] is None
    mail = line.mail_of(fields["FaxSid"])
    assert "withheld" in mail["Subject"] and sender not in mail["Subject"] + mail["From"]
    assert not any(part.defects for part in mail.walk())


def test_what_was_deleted_here_does_not_come_back(line, person, documents):
    action, fields = call(line)
    parts = [(name, (None, value)) for name, value in {**fields, "FaxStatus": "received"}.items()] + [("Media", ("fax.pdf", read(documents["scan"]), "application/pdf"))]
    assert requests.post(action, files=parts, verify=line.ca).status_code == 200
    fax = inbound(line, person, fields["FaxSid"], "received")
    line.mail_of(fields["FaxSid"])
    problem(person.post(f"{line.lan}/api/faxes/{fax['id']}/cancel"), 409)
    problem(person.post(f"{line.lan}/api/faxes/{fax['id']}/resend"), 409)
    assert person.post(f"{line.lan}/api/faxes/{fax['id']}/read", json={"read": True}).json()["read"] is True
    problem(person.post(f"{line.lan}/api/faxes/{fax['id']}/read", json={"read": "yes"}), 400)
    assert person.delete(f"{line.lan}/api/faxes/{fax['id']}").status_code == 204
    assert requests.post(action, files=parts, verify=line.ca).status_code == 200
    problem(person.get(f"{line.lan}/api/faxes/{fax['id']}/document.pdf"), 404)
    assert not [one for one in line.received(person) if one["provider_id"] == fields["FaxSid"]]
    assert [mail["X-Fax-Sid"] for mail in line.mails()].count(fields["FaxSid"]) == 1, "DELETE leaves the mail alone"


def test_logs_hold_no_token_and_no_credential(line, person):
    action, _ = call(line)
    secret = [action.split("t=")[1], line.conf["TWILIO_TOKEN"], "correct horse battery", person.cookies["__Host-faxline"]]
    person.get(line.lan + "/api/numbers?q=2125559876")
    person.get(line.lan + "/api/nothing?q=2125559876")
    for entry in os.scandir(line.run_dir + "/log"):
        text = read(entry.path).decode(errors="replace")
        assert not [word for word in [*secret, "q=2125559876"] if word in text], entry.name


# --- settings
def refused(tmp_path, lines="", **settings):
    """Exit status and words of a line that is not to start."""
    folder = tmp_path / "run"
    folder.mkdir(exist_ok=True)
    (folder / "faxline.conf").write_text("TWILIO_SID=AC1\nTWILIO_TOKEN=secret\n" + lines, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    environment |= {name: str(free_port()) for name in ("LAN_PORT", "PUBLIC_PORT", "ACME_PORT", "POP3_PORT")} | settings | {"RUN_DIR": str(folder), "BUILD": BUILD}
    done = subprocess.run(["bin/line", "run"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert "ready" not in done.stdout
    return done.returncode, done.stderr


@pytest.mark.parametrize("settings, words", [
    ({"PROVIDER_URL": "https://api.example.org"}, ["PROVIDER_URL", "sandbox"]),
    ({"FAX_PROVIDER": "twilio", "TWILIO_FAX_NUMBER": "+12125551212", "PROVIDER_URL": "http://127.0.0.1:1/v1"}, ["PROVIDER_URL", "host and port alone"]),
    ({"FAX_PROVIDER": "twilio"}, ["TWILIO_FAX_NUMBER", "E.164"]),
    ({"INBOUND_AUTH_USER": "a:b", "INBOUND_AUTH_PASS": "p"}, ["INBOUND_AUTH_USER", "colon"]),
    ({"DATABASE_URL": "sqlite:///"}, ["DATABASE_URL", "absolute path"]),
    ({"MAILDIR_ROOT_DIR": "/etc/hostname"}, ["MAILDIR_ROOT_DIR", "not a folder"]),
    ({"LINES": "RETRY_LIMITT=3\n"}, ["RETRY_LIMITT", "did you mean RETRY_LIMIT?"]),
    ({"LINES": "TWILIO_SID=AC2\n"}, ["TWILIO_SID", "twice"]),
])
def test_wrong_settings_stop_the_start_with_name_and_cure(tmp_path, settings, words):
    settings = dict(settings)
    status, said = refused(tmp_path, settings.pop("LINES", ""), **settings)
    assert status == 78 and all(word in said for word in words), said


# --- the command
@pytest.mark.parametrize("status, words", [
    (64, ["nonsense"]), (64, ["send", "only-one"]), (64, ["list", "--nonsense"]), (65, ["send", "{scan}", "911"]), (65, ["send", "/nothing.pdf", "+12125551212"]), (65, ["send", "{empty}", "+12125551212"]),
    (65, ["receive", "{scan}", "--from", "nobody"]), (65, ["user", "import", "/nothing.json"]), (67, ["show", NOBODYS]), (67, ["user", "remove", "nobody"]), (67, ["key", "revoke", NOBODYS]), (0, ["config", "check"]),
    (0, ["provider", "check"]), (0, ["send", "--help"])])
def test_the_commands_exit_status_says_what_is_wrong(line, documents, status, words):
    done = line.command(*(word.format(**documents) for word in words), check=False)
    assert done.returncode == status, done.stderr
    assert bool(done.stdout) == (status == 0), "results alone are on standard output"


def test_the_commands_lists_are_json_where_asked(line):
    for words in (["list"], ["user", "list"], ["key", "list"]):
        done = line.command(*words, "--json")
        assert isinstance(json.loads(done.stdout), list) and "PRACTICE LINE" in done.stderr


# --- the sandbox
def test_the_sandboxes_api_is_twilios(line):
    account = (line.conf["TWILIO_SID"], line.conf["TWILIO_TOKEN"])

    def ask_sandbox(method, path, **more):
        return requests.request(method, line.ready["sandbox"] + path, verify=line.ca, timeout=20, **{"auth": account, **more})
    assert ask_sandbox("GET", "/v1/Faxes", auth=None).status_code == 401 and ask_sandbox("GET", "/v1/Faxes", auth=("AC", "x")).status_code == 401
    made = ask_sandbox("POST", "/v1/Faxes", data={"To": "+15005550004", "From": "+15005550006", "MediaUrl": "https://localhost:1/x"})
    assert made.status_code == 201 and made.json()["status"] == "queued" and made.json()["direction"] == "outbound"
    sid = made.json()["sid"]
    assert ask_sandbox("GET", f"/v1/Faxes/{sid}").json()["to"] == "+15005550004"
    page = ask_sandbox("GET", "/v1/Faxes", params={"PageSize": 1}).json()
    assert [fax["sid"] for fax in page["faxes"]] == [sid] and page["meta"]["key"] == "faxes"
    refusal = ask_sandbox("POST", "/v1/Faxes", data={"To": "+15005550005", "From": "+15005550006", "MediaUrl": "https://localhost:1/x"})
    assert refusal.status_code == 400 and isinstance(refusal.json()["code"], int) and refusal.json()["status"] == 400
    assert ask_sandbox("GET", "/v1/Faxes/FX" + "0" * 32).status_code == 404
