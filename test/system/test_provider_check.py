"""`faxline provider check` and `faxline provider configure`, in both dialects."""
import http.server
import json
import os
import subprocess
import threading
import time

import pytest
import requests

from line import BUILD, ROOT, Line, wait_until

NUMBERS = {"twilio": "/2010-04-01/Accounts/{sid}/IncomingPhoneNumbers.json", "signalwire": "/api/laml/2010-04-01/Accounts/{sid}/IncomingPhoneNumbers.json"}
AUTH = {"INBOUND_AUTH_USER": "provider", "INBOUND_AUTH_PASS": "a word: with/signs"}


@pytest.fixture(scope="module", params=["twilio", "signalwire"])
def line(request):
    it = Line(SANDBOX_DIALECT=request.param, WEBHOOK_SIGNING_KEY="the signing key", **AUTH).start()
    it.dialect = request.param
    yield it
    it.close()


def faxline(line, *words, **settings):
    """The command as the line's own, or, with other settings, the program itself."""
    if not settings:
        return line.command(*words, check=False)
    with open(os.path.join(line.run_dir, "line.json"), encoding="utf-8") as file:
        kept = {name: value for name, value in json.load(file)["settings"].items() if name.isupper() and isinstance(value, str)}
    kept |= {"FAXLINE_CONF": os.path.join(line.run_dir, "faxline.conf"), "SOCKET_DIR": os.path.join(line.run_dir, "socket"), "PROVIDER_CA_FILE": line.ca, "STATE_DIR": os.path.join(line.run_dir, "state")}
    return subprocess.run([os.path.join(ROOT, BUILD, "bin/faxline"), *words], env={**kept, **settings}, capture_output=True, text=True, timeout=90)


def findings(done):
    """What is said of each thing: its state, and the words."""
    return {what: (state, words) for what, state, words in (text.split("\t") for text in done.stdout.splitlines())}


def number(line, **changes):
    """The number at the sandbox, as its API tells it; changed, if anything is given."""
    account = (line.conf["TWILIO_SID"], line.conf["TWILIO_TOKEN"])
    url = line.ready["sandbox"] + NUMBERS[line.dialect].format(sid=line.conf["TWILIO_SID"])
    listed = requests.get(url, auth=account, verify=line.ca, timeout=20)
    assert listed.status_code == 200, listed.text
    it = listed.json()["incoming_phone_numbers"][0]
    if changes:
        changed = requests.post(url.replace(".json", f"/{it['sid']}.json"), data=changes, auth=account, verify=line.ca, timeout=20)
        assert changed.status_code == 200, changed.text
        it = changed.json()
    return it


def test_a_line_that_is_right_is_said_to_be_right(line):
    done = faxline(line, "provider", "check")
    said = findings(done)
    assert done.returncode == 0, done.stdout + done.stderr
    right = {"credentials": "right", "number": "right", "webhook URL": "right", "public URL": "right", "signature": "right", "messages": "unknown"}
    if line.dialect == "signalwire":
        right["receive mode"] = "unknown"  # its API does not tell
    assert {what: state for what, (state, _) in said.items()} == right
    assert line.public in said["public URL"][1] and "WEBHOOK_SIGNING_KEY" in said["signature"][1]
    assert "a word" not in done.stdout + done.stderr and "a%20word" not in done.stdout + done.stderr
    as_json = json.loads(faxline(line, "provider", "check", "--json").stdout)
    assert all(finding["right"] in (True, None) and finding["text"] for finding in as_json) and len(as_json) == len(said)


def test_another_webhook_url_is_found_and_set_right(line, documents):
    number(line, VoiceUrl="https://elsewhere.example.org/voice")
    done = faxline(line, "provider", "check")
    state, words = findings(done)["webhook URL"]
    assert done.returncode == 78 and state == "wrong" and "elsewhere.example.org" in words and "faxline provider configure" in words
    done = faxline(line, "provider", "configure")
    assert done.returncode == 0 and "a%20word" not in done.stdout + done.stderr, done.stderr
    assert number(line)["voice_url"] == line.public.replace("https://", "https://provider:a%20word%3A%20with%2Fsigns@") + "/fax/initialize"
    assert faxline(line, "provider", "check").returncode == 0
    # And a fax that comes in is announced there.
    person = line.browser_session()
    line.command("receive", documents["letter"], "--from", "+12125550101")
    wait_until(lambda: any(fax["from"] == "+12125550101" and fax["status"] == "received" for fax in line.received(person)), 40)


class Closed(http.server.BaseHTTPRequestHandler):
    """A provider whose API knows no numbers."""

    def do_GET(self):
        self.send_error(404)

    def log_message(self, *words):
        pass


def test_a_provider_whose_api_has_no_numbers_is_not_a_user_that_is_missing(line):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Closed) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        done = faxline(line, "provider", "configure", FAX_PROVIDER=line.dialect, PROVIDER_URL=f"http://127.0.0.1:{server.server_port}", TWILIO_FAX_NUMBER="+15005550006")
        server.shutdown()
        thread.join()
    assert done.returncode == 69 and "status 404" in done.stderr and "dashboard" in done.stderr, done.stderr


def test_reconcile_says_at_once_that_the_line_is_down(line, tmp_path):
    begun = time.monotonic()
    done = faxline(line, "reconcile", SOCKET_DIR=str(tmp_path))
    assert done.returncode == 69 and "The line is down" in done.stderr, done.stderr
    assert time.monotonic() - begun < 30
    assert faxline(line, "reconcile").returncode == 0


def test_a_refused_message_is_told_with_its_likely_cause(line, documents):
    fields = {"FaxSid": "FX" + "5" * 32, "AccountSid": line.conf["TWILIO_SID"], "From": "+12125550100", "To": "+15005550006", "ApiVersion": "v1"}
    url = line.public + "/fax/initialize"
    header = {"X-Twilio-Signature": line.sign(url, fields.items())}  # with the account's token: the signing key is another
    auth = (AUTH["INBOUND_AUTH_USER"], AUTH["INBOUND_AUTH_PASS"])
    assert requests.post(url, data=fields, headers=header, auth=auth, verify=line.ca, timeout=20).status_code == 403
    state, words = findings(faxline(line, "provider", "check"))["messages"]
    assert state == "wrong" and "WEBHOOK_SIGNING_KEY" in words and words.startswith("1 was refused")
    line.command("receive", documents["letter"], "--from", "+12125550102")
    wait_until(lambda: findings(faxline(line, "provider", "check"))["messages"][0] == "right", 30)


@pytest.mark.parametrize("settings, status, what, words", [
    ({"TWILIO_TOKEN": "another"}, 77, "credentials", "TWILIO_TOKEN"),
    ({"TWILIO_FAX_NUMBER": "+12125559999"}, 78, "number", "TWILIO_FAX_NUMBER"),
    ({"WEBHOOK_SIGNING_KEY": "another"}, 78, "signature", "WEBHOOK_SIGNING_KEY"),
    ({"INBOUND_AUTH_PASS": "another"}, 78, "signature", "INBOUND_AUTH_PASS"),
    ({"SANDBOX_PORT": "1"}, 69, "credentials", "did not answer"),
    ({"PUBLIC_URL": "https://localhost:1", "PUBLIC_PORT": "2"}, 69, "public URL", "does not answer"),
])
def test_what_is_wrong_is_named_with_its_cure(line, settings, status, what, words):
    done = faxline(line, "provider", "check", **settings)
    state, said = findings(done)[what]
    assert state == "wrong" and words in said, done.stdout
    # Another address in the settings is another webhook URL, too: the first trouble gives the status.
    assert done.returncode in ((status, 78) if "PUBLIC_URL" in settings or "INBOUND_AUTH_PASS" in settings else (status,)), done.stdout
