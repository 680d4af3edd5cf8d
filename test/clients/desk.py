"""Client libraries of the providers, installed once and asked by tests; and a server that keeps what a provider says to it.

    with Desk("twilio", line.ready["sandbox"], sid, token, ca=line.ca) as desk:
        fax = desk.create(to="+12125551212", **{"from": "+15005550006"}, mediaUrl="https://…")
        desk.fetch(fax["sid"])          # raises Refused with what the library reports
"""
import base64
import fcntl
import http.server
import json
import os
import shutil
import ssl
import subprocess
import threading
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
FOLDER = os.path.join(ROOT, os.environ.get("BUILD", "build"), "clients")


def program(name):
    """Debian's own, whatever else is in PATH."""
    return f"/usr/bin/{name}" if os.path.exists(f"/usr/bin/{name}") else name


def install():
    """The packages of the lock file, in BUILD/clients: once, and again when the lock file changes."""
    os.makedirs(FOLDER, exist_ok=True)
    with open(f"{FOLDER}/lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shutil.copy(f"{HERE}/desk.js", FOLDER)
        with open(f"{HERE}/package-lock.json", encoding="utf-8") as file:
            wanted = file.read()
        stamp = f"{FOLDER}/installed"
        if os.path.exists(stamp):
            with open(stamp, encoding="utf-8") as file:
                if file.read() == wanted:
                    return FOLDER
            os.remove(stamp)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(f"{HERE}/{name}", FOLDER)
        words = [program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", f"--cache={FOLDER}/cache"]
        path = f"{os.path.dirname(program('node'))}:{os.environ['PATH']}"
        done = subprocess.run(words, cwd=FOLDER, env={**os.environ, "PATH": path}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False)
        shutil.rmtree(f"{FOLDER}/cache", ignore_errors=True)
        assert done.returncode == 0, f"npm cannot install the client libraries that this test needs; does it reach its registry?\n{done.stderr[-2000:]}"
        with open(stamp, "w", encoding="utf-8") as file:
            file.write(wanted)
    return FOLDER


class Refused(Exception):
    """A library threw: status, code and more_info as it tells them."""

    def __init__(self, error):
        super().__init__(error)
        self.status, self.code, self.message, self.more_info = (error.get(name) for name in ("status", "code", "message", "moreInfo"))


class Desk:
    def __init__(self, dialect, url, account, token, ca):
        environment = {"PATH": os.environ["PATH"], "NODE_EXTRA_CA_CERTS": ca}
        words = [program("node"), f"{install()}/desk.js", dialect, url, account, token]
        self.process = subprocess.Popen(words, cwd=FOLDER, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, verb, *words):
        self.process.stdin.write(json.dumps({"verb": verb, "words": words}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the client library's process ended at '{verb}'"
        answer = json.loads(line)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["value"]

    def create(self, **options):
        return self.ask("create", options)

    def list(self, **options):
        return self.ask("list", options)

    def __getattr__(self, verb):
        return lambda *words: self.ask(verb, *words)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Request:
    def __init__(self, method, target, headers, body):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        self.path = urllib.parse.urlsplit(target).path

    def form(self):
        return dict(urllib.parse.parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True))


class Receiver:
    """An HTTPS server behind Basic auth. `pages`: what each path answers, (type, bytes), or a function of the request."""

    user, password = "fax line", "s3:cret/ä"

    def __init__(self, certificate, key):
        self.requests, self.pages = [], {}
        receiver = self
        credentials = basic(self.user, self.password)

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self):
                request = Request(self.command, self.path, self.headers, self.rfile.read(int(self.headers.get("Content-Length", 0))))
                receiver.requests.append(request)
                status, kind, body = 200, "text/plain", b""
                page = receiver.pages.get(request.path)
                if self.headers.get("Authorization") != credentials:
                    status = 401
                elif page:
                    kind, body = page(request) if callable(page) else page
                self.send_response(status)
                if status == 401:
                    self.send_header("WWW-Authenticate", 'Basic realm="receiver"')
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = answer

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        quoted = ":".join(urllib.parse.quote(word, safe="") for word in (self.user, self.password))
        self.plain = f"https://localhost:{self.port}"
        self.url = f"https://{quoted}@localhost:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def of(self, path):
        return [request for request in self.requests if request.path == path]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
