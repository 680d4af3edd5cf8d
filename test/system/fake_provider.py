"""A provider of the tests' own: takes calls as Twilio's API does, and does what the test says."""
import http.server
import json
import secrets
import ssl
import threading
import urllib.parse

import requests


class Provider:
    def __init__(self, name="127.0.0.1", certificate=None, address="127.0.0.1"):
        """With a certificate (a file with its key) it speaks TLS under that name."""
        self.name, self.certificate, self.address = name, certificate, address
        self.calls, self.faxes, self.fetches, self.mode, self.last_sid = [], {}, 0, "ok", None
        self.documents, self.deleted, self.ca = {}, [], None
        self.in_call = threading.Event()  # a call is answered once it is set
        self.in_call.set()
        self.server, self.port = None, 0
        self.open()

    def open(self):
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self, status, body, headers=()):
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                for name, value in headers:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def do_POST(self):
                fields = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                if provider.mode == "401":
                    return self.answer(401, {"code": 20003, "message": "Authenticate", "more_info": "", "status": 401})
                if provider.mode == "429":
                    return self.answer(429, {"code": 20429, "message": "Too many", "status": 429}, [("Retry-After", "3")])
                if self.path == "/v1/Faxes":
                    provider.calls.append(fields)
                    provider.in_call.wait(60)
                    sid = "FX" + secrets.token_hex(16)
                    if provider.mode == "fetch and drop":
                        requests.get(fields["MediaUrl"], verify=provider.ca, timeout=20)
                    if provider.mode in ("drop after taking", "fetch and drop"):
                        self.close_connection = True
                        return None
                    provider.last_sid = sid
                    provider.faxes[sid] = {"sid": sid, "account_sid": "AC", "from": fields["From"], "to": fields["To"], "status": "queued", "direction": "outbound", "num_pages": None, "date_created": "2026-01-01T00:00:00Z", "media_url": None}
                    provider.called(sid, fields)
                    return self.answer(201, provider.faxes[sid])
                sid = self.path.rsplit("/", 1)[1]
                provider.faxes[sid]["status"] = "canceled"
                return self.answer(200, provider.faxes[sid])

            def do_DELETE(self):
                provider.deleted.append(self.path)
                self.send_response(204)
                self.end_headers()

            def do_GET(self):
                path = urllib.parse.urlsplit(self.path).path
                if path.startswith("/media/"):
                    data = provider.documents[path]
                    self.send_response(200)
                    self.send_header("Content-Type", "application/pdf")
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)
                    return None
                if path.endswith("/Media"):
                    return self.answer(200, {"media": [{"sid": "ME" + "0" * 32}], "meta": {"next_page_url": None, "key": "media"}})
                if path == "/v1/Faxes" and provider.mode == "no list":
                    self.close_connection = True
                    return None
                if path == "/v1/Faxes":
                    return self.answer(200, {"faxes": list(provider.faxes.values()), "meta": {"next_page_url": None, "key": "faxes"}})
                sid = path.rsplit("/", 1)[1]
                provider.fetches += 1
                if sid not in provider.faxes:
                    return self.answer(404, {"code": 20404, "message": "not found", "status": 404})
                return self.answer(200, provider.faxes[sid])

        self.server = http.server.ThreadingHTTPServer((self.address, self.port), Handler)
        self.port = self.server.server_address[1]
        self.url = f"{'https' if self.certificate else 'http'}://{self.name}:{self.port}"
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def get(self, media_url):
        return requests.get(media_url, verify=self.ca, timeout=20).status_code

    def receive(self, sender, document, created="2026-01-01T00:00:00Z"):
        """A fax that comes in, and of which nobody tells the line."""
        sid = "FX" + secrets.token_hex(16)
        self.documents["/media/" + sid] = document
        self.faxes[sid] = {"sid": sid, "account_sid": "AC", "from": sender, "to": "+15005550006", "status": "received", "direction": "inbound", "num_pages": None, "date_created": created, "media_url": f"{self.url}/media/{sid}"}
        return sid

    def called(self, sid, fields):
        """A call was taken. Nothing happens to it unless the test does it."""

    def deliver(self, call):
        """Fetches what the last call was to send, and has sent it. The document."""
        document = requests.get(call["MediaUrl"], verify=self.ca, timeout=20).content
        self.faxes[self.last_sid].update(status="delivered", num_pages=1)
        return document

    def close(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None
