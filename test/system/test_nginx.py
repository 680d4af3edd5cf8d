"""Our site files in a real nginx, with stand-ins for the programs: who answers what, and what leaves no trace."""
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time

import pytest
import requests

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROGRAMS = ["session", "send", "status", "inbox", "inbound", "media", "sandbox"]
TOKEN = "Qm9yaW5nVG9rZW5UaGF0Tm9ib2R5TWF5U2VlSW5Mb2c"
LIMIT = 100_000


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Site:
    """A running nginx with stand-ins behind it."""

    def __init__(self, folder):
        self.folder = folder
        self.ports = dict(zip(["LAN", "PUBLIC", "ACME", "SANDBOX"], free_ports(4)))
        self.children = []
        self.pem = f"{folder}/tls.pem"
        for name in ["socket", "log", "temporary", "state/acme/.well-known/acme-challenge", "state/handout"]:
            os.makedirs(f"{folder}/{name}")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{folder}/tls.key", "-out", self.pem]
            + ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
            check=True,
            capture_output=True,
        )

    def settings(self):
        values = {f"{name}_PORT": port for name, port in self.ports.items()}
        values |= {f"{name}_LISTEN": "127.0.0.1" for name in ["LAN", "PUBLIC", "ACME"]}
        values |= {f"{name}_CERTIFICATE": self.pem for name in ["LAN", "PUBLIC"]} | {f"{name}_KEY": f"{self.folder}/tls.key" for name in ["LAN", "PUBLIC"]}
        values |= {"SOCKET_DIR": f"{self.folder}/socket", "STATE_DIR": f"{self.folder}/state", "LOG_DIR": f"{self.folder}/log"}
        values |= {"HTML_DIR": f"{ROOT}/html", "MAX_FAX_BYTES": LIMIT, "RUN_TEMPORARY": f"{self.folder}/temporary"}
        return [f"{name}={value}" for name, value in values.items()]

    def spawn(self, program):
        path = f"{self.folder}/{program}"
        if not os.path.exists(path):
            shutil.copy(f"{HERE}/stand_in", path)
        child = subprocess.Popen(["spawn-fcgi", "-n", "-s", f"{self.folder}/socket/{program}.sock", "-M", "0666", "--", path])
        self.children.append(child)
        return child

    def start(self):
        subprocess.run([f"{ROOT}/nginx/render", f"{self.folder}/nginx", *self.settings()], check=True)
        for program in PROGRAMS:
            self.spawn(program)
        words = ["/usr/sbin/nginx", "-p", self.folder, "-c", f"{self.folder}/nginx/nginx.conf", "-e", f"{self.folder}/log/error.log"]
        self.children.append(subprocess.Popen(words + (["-g", "user root;"] if os.getuid() == 0 else [])))
        end = time.monotonic() + 10
        while True:
            try:
                for program in PROGRAMS:
                    with socket.socket(socket.AF_UNIX) as one:
                        one.connect(f"{self.folder}/socket/{program}.sock")
                for port in self.ports.values():
                    socket.create_connection(("127.0.0.1", port)).close()
                return self
            except OSError:
                assert time.monotonic() < end and self.children[-1].poll() is None, self.log("error")
                time.sleep(0.02)

    def stop(self):
        for child in self.children:
            child.send_signal(signal.SIGTERM)
        for child in self.children:
            child.wait(10)

    def log(self, name):
        with open(f"{self.folder}/log/{name}.log", encoding="utf-8") as file:
            return file.read()

    def ask(self, listener, path, method="GET", **more):
        scheme = "http" if listener == "ACME" else "https"
        with requests.Session() as session:
            session.verify = self.pem
            request = requests.Request(method, f"{scheme}://localhost:{self.ports[listener]}/", **more)
            ready = session.prepare_request(request)
            ready.url = f"{scheme}://localhost:{self.ports[listener]}{path}"
            return session.send(ready, verify=self.pem, allow_redirects=False, timeout=10)


@pytest.fixture(name="site", scope="module")
def site_fixture(tmp_path_factory):
    folder = tmp_path_factory.mktemp("s")
    site = Site(str(folder))
    try:
        yield site.start()
    finally:
        site.stop()


@pytest.mark.parametrize(
    "method, path, program",
    [
        ("GET", "/fax/initialize", "inbound"),
        ("POST", "/fax/initialize?x=1", "inbound"),
        ("GET", f"/fax/payload?t={TOKEN}", "inbound"),
        ("POST", f"/fax/payload?t={TOKEN}", "inbound"),
        ("POST", f"/fax/callback/{TOKEN}", "inbound"),
        ("GET", f"/fax/callback/{TOKEN}", "inbound"),
    ],
)
def test_the_provider_reaches_inbound(site, method, path, program):
    answer = site.ask("PUBLIC", path, method)
    assert answer.status_code == 200
    said = answer.json()
    assert said["program"] == program
    assert said["REQUEST_URI"] == path
    assert said["REQUEST_METHOD"] == method
    assert said["AUTH_USER"] == said["AUTH_ROLE"] == said["AUTH_VIA"] == ""
    assert re.fullmatch("[0-9a-f]{32}", said["REQUEST_ID"])


@pytest.mark.parametrize("path", ["/", "/index.html", "/fax", "/fax/", "/fax/payload/", "/fax/callback/", "/fax/callback/a/b", "/fax/sending/", "//fax/initialize", "/api/ping", "/healthz", "/metrics", "/api/session", "/_auth", "/internal/handout/x", "/.well-known/acme-challenge/x", "/v1/Faxes", "/sandbox/x"])
def test_nothing_else_is_public(site, path):
    answer = site.ask("PUBLIC", path)
    assert (answer.status_code, answer.content) == (404, b"")


@pytest.mark.parametrize("path, allow", [("/fax/initialize", "GET, POST"), (f"/fax/payload?t={TOKEN}", "GET, POST"), (f"/fax/callback/{TOKEN}", "GET, POST"), (f"/fax/sending/{TOKEN}", "GET, HEAD")])
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_405(site, path, allow, method):
    answer = site.ask("PUBLIC", path, method)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allow)


def test_head_and_post_where_they_do_not_belong(site):
    assert site.ask("PUBLIC", "/fax/initialize", "HEAD").status_code == 405
    assert site.ask("PUBLIC", f"/fax/sending/{TOKEN}", "POST").status_code == 405


def test_media_hands_out_by_nginx(site):
    with open(f"{site.folder}/state/handout/one", "wb") as file:
        file.write(b"%PDF-1.7 0123456789")
    whole = site.ask("PUBLIC", "/fax/sending/one")
    assert (whole.status_code, whole.headers["Content-Type"], whole.content[:8]) == (200, "application/pdf", b"%PDF-1.7")
    part = site.ask("PUBLIC", "/fax/sending/one", headers={"Range": "bytes=9-12"})
    assert (part.status_code, part.content) == (206, b"0123")
    head = site.ask("PUBLIC", "/fax/sending/one", "HEAD")
    assert (head.status_code, head.headers["Content-Length"]) == (200, "19")
    for conditions in ({"If-None-Match": '"x"'}, {"If-Modified-Since": "Fri, 01 Jan 2038 00:00:00 GMT"}, {"If-Range": '"x"', "Range": "bytes=0-1"}):
        answer = site.ask("PUBLIC", "/fax/sending/one", headers=conditions)
        assert (answer.status_code, answer.content) == (200, whole.content), conditions
    for conditions in ({"If-None-Match": "*"}, {"If-Match": '"x"'}, {"If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, {"Range": "bytes=19-"}):
        answer = site.ask("PUBLIC", "/fax/sending/one", headers=conditions)
        assert (answer.status_code, answer.content) == (404, b""), conditions
    os.symlink("/etc/passwd", f"{site.folder}/state/handout/link")
    assert site.ask("PUBLIC", "/fax/sending/link").status_code in (403, 404)


def test_public_bodies(site):
    assert site.ask("PUBLIC", f"/fax/payload?t={TOKEN}", "POST", data=b"x" * 3_000_000).json()["body"] == 3_000_000
    assert site.ask("PUBLIC", "/fax/initialize", "POST", data=b"x" * 65536).json()["body"] == 65536
    assert site.ask("PUBLIC", "/fax/initialize", "POST", data=b"x" * 65537).status_code == 413
    assert site.ask("PUBLIC", f"/fax/callback/{TOKEN}", "POST", data=b"x" * 65537).status_code == 413


def test_acme_carries_challenges_alone(site):
    with open(f"{site.folder}/state/acme/.well-known/acme-challenge/abc", "w", encoding="utf-8") as file:
        file.write("answer")
    assert site.ask("ACME", "/.well-known/acme-challenge/abc").text == "answer"
    for path in ["/", "/.well-known/", "/.well-known/acme-challenge/none", "/.well-known/acme-challenge/../../handout/one", "/fax/initialize", "/api/ping"]:
        assert site.ask("ACME", path).status_code == 404, path


@pytest.mark.parametrize(
    "method, path, program",
    [
        ("POST", "/api/session", "session"),
        ("GET", "/api/session", "session"),
        ("DELETE", "/api/session", "session"),
        ("GET", "/api/ping", "status"),
        ("GET", "/healthz", "status"),
        ("GET", "/metrics", "status"),
        ("GET", "/api/fax/FX1", "status"),
        ("GET", "/api/faxes?direction=inbound&limit=5", "status"),
        ("POST", "/api/faxes", "send"),
        ("GET", "/api/faxes/1", "status"),
        ("DELETE", "/api/faxes/1", "inbox"),
        ("POST", "/api/faxes/1/cancel", "send"),
        ("POST", "/api/faxes/1/resend", "send"),
        ("POST", "/api/faxes/1/settle", "send"),
        ("POST", "/api/faxes/1/read", "inbox"),
        ("GET", "/api/faxes/1/document.pdf", "inbox"),
        ("GET", "/api/faxes/1/pages/1.png", "inbox"),
        ("POST", "/api/documents", "send"),
        ("GET", "/api/documents/1", "send"),
        ("GET", "/api/documents/1/pages/2.png", "inbox"),
        ("GET", "/api/numbers?q=%2B1", "send"),
    ],
)
def test_the_api_reaches_its_program(site, method, path, program):
    answer = site.ask("LAN", path, method)
    assert answer.status_code == 200
    said = answer.json()
    assert (said["program"], said["REQUEST_URI"], said["REQUEST_METHOD"]) == (program, path, method)
    open_to_all = path in ("/api/session", "/api/ping", "/healthz", "/metrics")
    if not open_to_all:
        assert (said["AUTH_USER"], said["AUTH_ROLE"], said["AUTH_VIA"]) == ("anna", "user", "cookie")
        assert answer.cookies["renewed"] == "1"
    elif path != "/metrics":
        assert (said["AUTH_USER"], said["AUTH_ROLE"], said["AUTH_VIA"]) == ("", "", "")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_request_cannot_bring_its_own_user(site):
    forged = {"AUTH_USER": "root", "Auth-User": "root", "X-Auth-User": "root", "Proxy": "http://x"}
    for path in ["/healthz", "/api/session"]:
        said = site.ask("LAN", path, headers=forged).json()
        assert (said["AUTH_USER"], said.get("HTTP_PROXY", "")) == ("", "")
    assert site.ask("LAN", "/api/faxes", headers=forged).json()["AUTH_USER"] == "anna"
    assert site.ask("PUBLIC", "/fax/initialize", headers=forged).json()["AUTH_USER"] == ""


def problem(answer, status):
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    said = answer.json()
    assert said["status"] == status and said["type"] and said["title"] and said["detail"]
    return said


@pytest.mark.parametrize("said, answered, wait", [(401, 401, None), (403, 403, None), (429, 429, "17"), (503, 503, "17"), (500, 500, None), (404, 500, None)])
def test_what_session_refuses_becomes_a_problem(site, said, answered, wait):
    answer = site.ask("LAN", "/api/faxes", "POST", cookies={"say": str(said)}, data=b"x" * 50_000)
    problem(answer, answered)
    if wait:
        assert answer.headers["Retry-After"] == wait


def test_metrics_needs_no_log_in_from_this_machine(site):
    assert site.ask("LAN", "/metrics", cookies={"say": "401"}).status_code == 200


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/nothing", "/api/faxes/", "/api/faxes/1/nothing", "/api/sessions", "/api/faxes/1/pages/x.png"])
def test_unknown_addresses_come_before_the_log_in(site, path):
    problem(site.ask("LAN", path, cookies={"say": "401"}), 404)


@pytest.mark.parametrize("path, method, allow", [("/api/faxes", "PUT", "GET, HEAD, POST"), ("/api/faxes/1", "POST", "GET, HEAD, DELETE"), ("/api/faxes/1/cancel", "GET", "POST"), ("/api/documents", "GET", "POST"), ("/api/ping", "POST", "GET, HEAD"), ("/api/session", "PUT", "GET, HEAD, POST, DELETE")])
def test_wrong_methods_come_before_the_log_in(site, path, method, allow):
    answer = site.ask("LAN", path, method, cookies={"say": "401"})
    problem(answer, 405)
    assert answer.headers["Allow"] == allow


@pytest.mark.parametrize("path, allow", [("/api/faxes", "GET, HEAD, POST"), ("/api/faxes/1", "GET, HEAD, DELETE"), ("/api/faxes/1/settle", "POST"), ("/api/session?x", "GET, HEAD, POST, DELETE"), ("/api/line", "GET, HEAD")])
def test_trace_is_told_what_is_allowed(site, path, allow):
    answer = site.ask("LAN", path, "TRACE")
    problem(answer, 405)
    assert answer.headers["Allow"] == allow


def raw(site, listener, request):
    """What nginx says to bytes that no client library would send: status line, headers, body."""
    context = ssl.create_default_context(cafile=site.pem)
    with socket.create_connection(("127.0.0.1", site.ports[listener]), 10) as plain, context.wrap_socket(plain, server_hostname="localhost") as one:
        one.sendall(request)
        said = b""
        while more := one.recv(65536):
            said += more
    head, _, body = said.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode().lower(), body


@pytest.mark.parametrize("request_bytes, status", [(b"POST /api/faxes HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: gzip\r\n\r\n", 501), (b"GET /api/faxes HTTP/3.0\r\nHost: localhost\r\n\r\n", 505)])
def test_what_nginx_does_not_speak_is_a_problem(site, request_bytes, status):
    said, head, body = raw(site, "LAN", request_bytes)
    assert said == status and "content-type: application/problem+json" in head, head
    assert json.loads(body)["status"] == status


def test_sizes_on_the_api(site):
    assert site.ask("LAN", "/api/faxes", "POST", data=b"x" * LIMIT).json()["body"] == LIMIT
    assert str(LIMIT) in problem(site.ask("LAN", "/api/faxes", "POST", data=b"x" * (LIMIT + 1_100_000)), 413)["detail"]
    problem(site.ask("LAN", "/api/faxes", "POST", data=b"x" * LIMIT, cookies={"say": "401"}), 401)
    for said in (401, 429):
        problem(site.ask("LAN", "/api/faxes", "POST", data=b"x" * (LIMIT + 1_100_000), cookies={"say": str(said)}), said)
    assert "65536" in problem(site.ask("LAN", "/api/faxes/1/read", "POST", data=b"x" * 70_000), 413)["detail"]
    assert "65536" in problem(site.ask("LAN", "/api/session", "POST", data=b"x" * 70_000), 413)["detail"]
    problem(site.ask("LAN", "/api/faxes?q=" + "x" * 9000), 414)
    problem(site.ask("LAN", "/api/faxes", headers={"X-Long": "x" * 9000}), 400)


def test_the_page(site):
    page = site.ask("LAN", "/")
    assert page.status_code == 200 and "Faxline" in page.text
    policy = page.headers["Content-Security-Policy"]
    for word in ["default-src 'none'", "script-src 'self';", "style-src 'self';", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"]:
        assert word in policy
    assert "unsafe" not in policy
    assert page.headers["Server"] == "nginx"
    assert "Strict-Transport-Security" not in page.headers
    assert site.ask("LAN", "/js/main.js").headers["Content-Type"].endswith("javascript")
    for path in ["/README.md", "/nothing", "/internal/handout/one", "/_auth", "/_problem/500", "/fax/initialize"]:
        assert site.ask("LAN", path).status_code == 404, path


def test_plain_http_at_the_page_is_led_to_tls(site):
    answer = requests.get(f"http://localhost:{site.ports['LAN']}/x?y=1", allow_redirects=False, timeout=10)
    assert (answer.status_code, answer.headers["Location"]) == (301, f"https://localhost:{site.ports['LAN']}/x?y=1")


def test_the_sandbox_has_a_listener_of_its_own(site):
    said = site.ask("SANDBOX", "/v1/Faxes?x=1").json()
    assert (said["program"], said["REQUEST_URI"], said["AUTH_USER"]) == ("sandbox", "/v1/Faxes?x=1", "")


def test_a_dead_program_leaves_no_token_in_any_log(site):
    for name in ["inbound", "media", "session"]:
        os.rename(f"{site.folder}/socket/{name}.sock", f"{site.folder}/socket/{name}.gone")
    try:
        assert site.ask("PUBLIC", f"/fax/callback/{TOKEN}", "POST").status_code == 502
        assert site.ask("PUBLIC", f"/fax/payload?t={TOKEN}", "POST", auth=("who", "SecretOfTheProvider")).status_code == 502
        assert site.ask("PUBLIC", f"/fax/sending/{TOKEN}").status_code == 502
        problem(site.ask("LAN", "/api/session?q=+12125551212"), 502)
        problem(site.ask("LAN", "/api/faxes?q=+12125551212"), 503)
    finally:
        for name in ["inbound", "media", "session"]:
            os.rename(f"{site.folder}/socket/{name}.gone", f"{site.folder}/socket/{name}.sock")
    assert site.ask("PUBLIC", f"/fax/sending/{TOKEN}").status_code == 404  # no such file, after X-Accel-Redirect
    os.chmod(f"{site.folder}/state/handout", 0)
    assert site.ask("PUBLIC", f"/fax/sending/{TOKEN}").status_code in (403, 404)
    os.chmod(f"{site.folder}/state/handout", 0o755)
    for path in [f"/fax/%63allback/{TOKEN}", f"/x/{TOKEN}", f"/{TOKEN}", f"//fax//sending//{TOKEN}", f"/fax%2Fsending%2F{TOKEN}"]:
        for listener in ["PUBLIC", "LAN", "ACME"]:
            site.ask(listener, path + f"?t={TOKEN}", headers={"Referer": f"https://x/{TOKEN}"})
    end = time.monotonic() + 5
    while f"/fax%2Fsending%2F{TOKEN[:3]}" not in site.log("access") and time.monotonic() < end:
        time.sleep(0.02)
    for name in ["access", "error"]:
        text = site.log(name)
        assert TOKEN not in text and "2125551212" not in text and "SecretOfTheProvider" not in text and "?" not in text, name
        assert TOKEN[:27] not in text
    assert f'path="/fax/callback/{TOKEN[:4]}" status=502' in site.log("access")
    assert 'program_status="502"' in site.log("access")


def test_render_refuses_what_would_break_out(tmp_path):
    def render(*words):
        return subprocess.run([f"{ROOT}/nginx/render", str(tmp_path / "out"), *words], capture_output=True, text=True, check=False)

    assert render("LAN_PORT=1").returncode == 64
    site = Site(str(tmp_path))
    assert render(*site.settings(), 'HTML_DIR=/x"; deny all').returncode == 64
    wrong = render(*site.settings(), "LAN_LISTEN=nowhere.example")
    assert wrong.returncode == 64 and "LAN_LISTEN" in wrong.stderr
    assert not (tmp_path / "out").exists()
    assert render(*site.settings(), "LAN_LISTEN=", "FAX_PROVIDER=twilio").returncode == 0
    assert not (tmp_path / "out" / "sandbox.conf").exists()
    assert "listen 0.0.0.0:" in (tmp_path / "out" / "lan.conf").read_text()
