"""A provider of the tests' own that keeps a ledger: which calls it took, which faxes really went out, what it still
keeps. What it does with a fax goes by the number; it goes on while the line is down, as a real one would."""
import base64
import datetime
import hashlib
import hmac
import http.server
import json
import re
import secrets
import threading
import time
import urllib.parse

import requests

HOURS = 20  # a document that nobody took is offered for that many tries, 0.25 s apart


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Call:
    """One that was taken: the fax as the API shows it, and what the line asked for."""

    def __init__(self, form):
        self.form, self.tell = form, True
        self.fax = {"sid": "FX" + secrets.token_hex(16), "account_sid": "AC" + "0" * 32, "from": form["From"], "to": form["To"], "status": "queued", "direction": "outbound", "num_pages": None, "date_created": now(), "media_url": None}


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Whoever asked was killed."""


class LedgerProvider:
    def __init__(self):
        self.line = None
        self.modes = {}  # number -> what to do; nothing: deliver
        self.calls = {}  # number -> calls, the refused ones too
        self.sent = {}  # number -> sids of the faxes whose pages went out
        self.faxes, self.hidden = {}, set()
        self.documents, self.deleted, self.late, self.withheld = {}, set(), set(), set()
        self.acknowledged = set()  # received faxes that the line said 2xx for
        self.lock, self.stopping, self.threads = threading.Lock(), False, []
        self.hanging, self.hang_up = set(), threading.Event()  # numbers whose call gets no answer, until then
        self.server = Server(("127.0.0.1", 0), self.handler())
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def serves(self, line):
        self.line = line

    def close(self):
        self.stopping = True
        self.hang_up.set()
        self.server.shutdown()
        self.server.server_close()

    def start(self, what, *words):
        thread = threading.Thread(target=what, args=words, daemon=True)
        thread.start()
        self.threads.append(thread)

    def falls_silent(self, seconds=10):
        """Waits for what is on its way to the line; what repeats itself without success goes on."""
        end = time.monotonic() + seconds
        while self.threads:
            self.threads.pop().join(max(0, end - time.monotonic()))

    # --- the API ---
    def handler(self):
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self, status, body=None, headers=(), kind="application/json"):
                data = b"" if status == 204 else body if isinstance(body, bytes) else json.dumps(body).encode()
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", kind)
                    self.send_header("Content-Length", str(len(data)))
                    for name, value in headers:
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(data)
                except OSError:
                    self.close_connection = True  # whoever asked was killed

            def do_POST(self):
                form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                if urllib.parse.urlsplit(self.path).path == "/v1/Faxes":
                    return provider.call(self, form)
                return provider.cancel(self, self.path.rsplit("/", 1)[1])

            def do_DELETE(self):
                provider.deleted.add(re.search(r"FX\w+", self.path)[0])
                self.answer(204)

            def do_GET(self):
                path, _, query = self.path.partition("?")
                sid = re.search(r"FX\w+", path)
                if path == "/v1/Faxes":
                    return self.answer(200, {"faxes": provider.listed(dict(urllib.parse.parse_qsl(query))), "meta": {"next_page_url": None, "key": "faxes"}})
                if sid is None or sid[0] not in provider.faxes or sid[0] in provider.hidden:
                    return self.answer(404, {"code": 20404, "message": "not found", "status": 404})
                if path.startswith("/media/"):
                    return provider.document(self, sid[0])
                if path.endswith("/Media"):
                    return self.answer(200, {"media": [{"sid": "ME" + "0" * 32}], "meta": {"next_page_url": None, "key": "media"}})
                return self.answer(200, provider.faxes[sid[0]])

        return Handler

    def listed(self, query):
        wanted = {"From": "from", "To": "to"}
        return [fax for fax in list(self.faxes.values()) if fax["sid"] not in self.hidden and all(fax[field] == query.get(name, fax[field]) for name, field in wanted.items())]

    def call(self, handler, form):
        with self.lock:
            first = form["To"] not in self.calls
            self.calls.setdefault(form["To"], []).append(form)
        mode = self.modes.get(form["To"], "")
        if mode == "refuse":
            return handler.answer(400, {"code": 21211, "message": "not a number", "status": 400})
        if mode.startswith("limit") and first:
            return handler.answer(429, {"code": 20429, "message": "too many", "status": 429}, [("Retry-After", "600" if "long" in mode else "1")])
        if mode == "drop" and first:
            handler.close_connection = True
            return None
        call = Call(form)
        call.tell = "quiet" not in mode and mode != "forget"
        if mode == "forget":  # it fetches, and says nothing; nobody ever hears of it
            self.hidden.add(call.fax["sid"])
        self.faxes[call.fax["sid"]] = call.fax
        if mode.startswith("hang"):
            return self.hang(handler, call, mode)
        if mode.startswith(("lose", "forget")) and first:
            self.carry(call, mode, first)
            handler.close_connection = True
            return None
        handler.answer(201, dict(call.fax))
        self.start(self.carry, call, mode, first)
        return None

    def hang(self, handler, call, mode):
        """No answer, and nobody hears of the fax. It has its document, or has not (`hang unfetched`)."""
        self.hidden.add(call.fax["sid"])
        assert mode == "hang unfetched" or self.fetch(call.form["MediaUrl"])
        self.hanging.add(call.fax["to"])
        self.hang_up.wait()
        handler.close_connection = True

    def cancel(self, handler, sid):
        with self.lock:
            fax = self.faxes[sid]
            if fax["status"] not in ("delivered", "failed", "busy"):
                fax["status"] = "canceled"
        handler.answer(200, fax)

    # --- a fax that goes out ---
    def carry(self, call, mode, first):
        """Fetches the document, for as long as that may take, and sends it."""
        fetched = self.fetch(call.form["MediaUrl"])
        if not fetched:
            call.fax.update(status="failed", error_code=11200)
            return self.call_back(call)
        if mode == "forget":
            return None
        with self.lock:
            if call.fax["status"] != "queued":
                return None  # canceled meanwhile, or told of
            call.fax["status"] = "sending"
        if mode == "hold":
            return self.call_back(call)
        if mode == "slow":
            time.sleep(2.5)
        if mode == "busy" and first:
            call.fax["status"] = "busy"
            return self.call_back(call)
        with self.lock:
            self.sent.setdefault(call.fax["to"], []).append(call.fax["sid"])
        call.fax["status"] = "delivered"
        return self.call_back(call)

    def fetch(self, url):
        for _ in range(HOURS * 4):
            if self.stopping:
                return False
            try:
                answer = requests.get(url, verify=self.line.ca, timeout=10)
                if answer.status_code == 200 and answer.content.startswith(b"%PDF-"):
                    return True
                if answer.status_code == 404:
                    return False
            except requests.RequestException:
                pass
            time.sleep(0.25)
        return False

    def call_back(self, call):
        if not call.tell:
            return
        fields = {"FaxSid": call.fax["sid"], "AccountSid": call.fax["account_sid"], "From": call.fax["from"], "To": call.fax["to"], "FaxStatus": call.fax["status"]}
        self.post(call.form["StatusCallback"], fields, {}, True)

    def tell_late(self, number):
        """Of a fax that nobody had heard of: it went out."""
        fax = next(fax for fax in self.faxes.values() if fax["to"] == number)
        self.hidden.discard(fax["sid"])
        fax["status"] = "delivered"
        self.sent.setdefault(number, []).append(fax["sid"])
        call = Call(self.calls[number][0])
        call.fax = fax
        self.start(self.call_back, call)

    # --- a fax that comes in ---
    def sign(self, url, fields):
        text = url + "".join(name + value for name, value in sorted(fields.items()))
        return base64.b64encode(hmac.new(self.line.token.encode(), text.encode(), hashlib.sha1).digest()).decode()

    def post(self, url, fields, files, repeats):
        """The answer, once it is a 2xx; None where there was none."""
        headers = {} if files else {"X-Twilio-Signature": self.sign(url, fields)}
        for _ in range(HOURS * 4 if repeats else 1):
            try:
                answer = requests.post(url, data=fields, files=files or None, headers=headers, verify=self.line.ca, timeout=10)
                if answer.status_code < 300:
                    return answer
            except requests.RequestException:
                pass
            if self.stopping:
                return None
            time.sleep(0.25)
        return None

    def receive(self, sender, document, how, repeats):
        """Announces a fax and brings it, in a thread of its own; the FaxSid. What `how` says: `url`, `url late` (its first
        fetch fails), `multipart`, `twice` (multipart, two times), `failed`, `bare` (received, but where is not said),
        `unknown` (the same, and the API does not know it either), `announced` (no more than that), `silent` (nobody is told),
        `silent failed`."""
        sid = "FX" + secrets.token_hex(16)
        failed, kept = "failed" in how, how not in ("failed", "silent failed", "multipart", "twice", "unknown", "announced")
        self.documents[sid] = document
        self.faxes[sid] = {
            "sid": sid, "account_sid": "AC" + "0" * 32, "from": sender, "to": "+15005550006", "status": "failed" if failed else "received", "direction": "inbound", "num_pages": None,
            "date_created": now(), "media_url": f"{self.url}/media/{sid}" if kept else None,
        }  # fmt: skip
        if how == "announced":
            self.faxes[sid]["status"] = "receiving"
        if how == "unknown":
            self.hidden.add(sid)
        if how == "url late":
            self.late.add(sid)
        if not how.startswith("silent"):
            self.start(self.bring, sid, how, repeats)
        return sid

    def arrives(self, sid):
        """What was announced, or withheld, is there: the API says so, and nobody is told."""
        self.withheld.discard(sid)
        self.faxes[sid].update(status="received", media_url=f"{self.url}/media/{sid}")

    def about(self, sid):
        fax = self.faxes[sid]
        return {"FaxSid": sid, "AccountSid": fax["account_sid"], "From": fax["from"], "To": fax["to"]}

    def announce(self, sid):
        """Where the line wants the document sent to; None where it did not say."""
        first = self.post(self.line.public + "/fax/initialize", self.about(sid), {}, True)
        return first and re.search(r'action="([^"]+)"', first.text)[1].replace("&amp;", "&")

    def bring(self, sid, how, repeats):
        action = self.announce(sid)
        if action is None or how == "announced":
            return
        fax = self.faxes[sid]
        about = {**self.about(sid), "FaxStatus": fax["status"]}
        if how == "failed":
            about |= {"ErrorCode": "34004", "ErrorMessage": "the line broke"}
        if how.startswith("url"):
            about["MediaUrl"] = fax["media_url"]
        files = {"Media": ("fax.pdf", self.documents[sid], "application/pdf")} if how in ("multipart", "twice") else {}
        for _ in range(2 if how == "twice" else 1):
            if self.post(action, about, files, repeats):
                self.acknowledged.add(sid)

    def document(self, handler, sid):
        if sid in self.withheld:
            return handler.answer(503, {"code": 20503, "message": "not now", "status": 503})
        if sid in self.late:
            self.late.discard(sid)
            return handler.answer(500, {"code": 20500, "message": "later", "status": 500})
        if sid in self.deleted:
            return handler.answer(404, {"code": 20404, "message": "not found", "status": 404})
        return handler.answer(200, self.documents[sid], kind="application/pdf")
