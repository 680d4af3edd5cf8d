"""Asks a FastCGI program as nginx does, over its Unix socket, and starts such programs for tests.

    with Program([f"{BUILD}/cgi-bin/status"], folder, env={...}) as program:
        answer = program.ask("GET", "/api/ping")
        assert answer.status == 200 and answer.json() == {"status": "ok"}

    exchange = program.begin("POST", "/api/faxes", length=1000, user="anna")   # piece by piece
    exchange.send(b"half of it")
    exchange.break_off()                                                       # or end(), then answer()
"""
import json
import os
import signal
import socket
import struct
import subprocess
import time

BEGIN, END, PARAMS, STDIN, STDOUT, STDERR = 1, 3, 4, 5, 6, 7
PATIENCE = 20.0


class Answer:
    def __init__(self, raw, errors):
        head, separator, self.body = raw.partition(b"\r\n\r\n")
        if not separator:
            raise ConnectionError(f"no answer: {raw[:200]!r}")
        self.headers = [tuple(part.strip() for part in line.split(":", 1)) for line in head.decode("latin-1").split("\r\n")]
        self.status = int((self.header("Status") or "200").split()[0])
        self.errors = errors

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def json(self):
        return json.loads(self.body)


def parameters(method, target, length=0, headers=None, user="", role="", via="", more=None):
    """What nginx/faxline_params gives. `more` wins."""
    path, _, query = target.partition("?")
    found = {
        "REQUEST_METHOD": method, "REQUEST_URI": target, "DOCUMENT_URI": path, "SCRIPT_NAME": path, "QUERY_STRING": query,
        "SERVER_PROTOCOL": "HTTP/1.1", "GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_SCHEME": "https", "HTTPS": "on",
        "REMOTE_ADDR": "127.0.0.1", "REMOTE_PORT": "40000", "SERVER_ADDR": "127.0.0.1", "SERVER_PORT": "443", "SERVER_NAME": "fax.example",
        "HTTP_HOST": "fax.example", "CONTENT_TYPE": "", "CONTENT_LENGTH": str(length) if length else "",
        "AUTH_USER": user, "AUTH_ROLE": role or ("user" if user else ""), "AUTH_VIA": via or ("cookie" if user else ""),
    }
    for name, value in (headers or {}).items():
        key = name.upper().replace("-", "_")
        found[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    return found | (more or {})


class Exchange:
    """One request on one connection."""

    def __init__(self, path, given, keep=False):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(path)
        self.record(BEGIN, struct.pack("!HB5x", 1, 1 if keep else 0))
        self.stream(PARAMS, b"".join(self.pair(name.encode(), value.encode("utf-8", "surrogateescape")) for name, value in given.items()))
        self.record(PARAMS, b"")

    @staticmethod
    def pair(name, value):
        sizes = (struct.pack("!B", len(text)) if len(text) < 128 else struct.pack("!I", len(text) | 0x80000000) for text in (name, value))
        return b"".join(sizes) + name + value

    def record(self, kind, content):
        self.socket.sendall(struct.pack("!BBHHBx", 1, kind, 1, len(content), 0) + content)

    def stream(self, kind, content):
        for at in range(0, len(content), 32768):
            self.record(kind, content[at : at + 32768])

    def send(self, body):
        self.stream(STDIN, body)

    def end(self):
        self.record(STDIN, b"")

    def break_off(self):
        """The connection goes away in the middle, as when nginx's client does."""
        self.socket.close()

    def read(self, count):
        found = bytearray()
        while len(found) < count:
            block = self.socket.recv(count - len(found))
            if not block:
                raise ConnectionError("the program closed the connection")
            found += block
        return bytes(found)

    def records(self):
        """(kind, content), up to the end of the request."""
        while True:
            _, kind, _, length, padding = struct.unpack("!BBHHBx", self.read(8))
            content = self.read(length + padding)[:length]
            if kind == END:
                return
            yield kind, content

    def answer(self):
        out, errors = bytearray(), bytearray()
        with self.socket:
            for kind, content in self.records():
                (out if kind == STDOUT else errors).extend(content)
        return Answer(bytes(out), bytes(errors))


def ask(path, method, target, body=b"", **more):
    """One whole request to the socket PATH. The words after `body` are those of parameters()."""
    exchange = Exchange(path, parameters(method, target, more.pop("length", len(body)), **more))
    try:
        exchange.send(body)
        exchange.end()
    except (BrokenPipeError, ConnectionResetError):
        pass  # answered before it had read all
    return exchange.answer()


class Program:
    """A FastCGI program under spawn-fcgi, in the foreground, as our own child. Its standard error is `log()`."""

    def __init__(self, words, folder, env=None):
        self.socket = os.path.join(str(folder), f"{os.path.basename(words[0])}.sock")
        self.log_path = self.socket.replace(".sock", ".log")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(["spawn-fcgi", "-n", "-s", self.socket, "-M", "0600", "--", *words], env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + PATIENCE
        while not self.listens():
            if self.process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise RuntimeError(f"{words[0]} did not start ({self.process.returncode}):\n{self.log()}")
            time.sleep(0.01)

    def listens(self):
        """spawn-fcgi listens before it becomes the program, so a connection waits until that accepts it."""
        try:
            with socket.socket(socket.AF_UNIX) as one:
                one.connect(self.socket)
            return os.readlink(f"/proc/{self.process.pid}/exe").find("spawn-fcgi") < 0
        except OSError:
            return False

    def ask(self, method, target, body=b"", **more):
        return ask(self.socket, method, target, body, **more)

    def begin(self, method, target, length=0, keep=False, **more):
        return Exchange(self.socket, parameters(method, target, length, **more), keep)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_for_log(self, words):
        end = time.monotonic() + PATIENCE
        while words not in self.log():
            assert time.monotonic() < end, f"never logged: {words}\n{self.log()}"
            time.sleep(0.01)

    def memory_kb(self, name):
        """A line of /proc/PID/status or smaps_rollup, e.g. VmHWM, Pss."""
        for file in ("status", "smaps_rollup"):
            with open(f"/proc/{self.process.pid}/{file}", encoding="ascii") as lines:
                for line in lines:
                    if line.startswith(f"{name}:"):
                        return int(line.split()[1])
        raise KeyError(name)

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def stop(self):
        """SIGTERM; the exit status."""
        if self.process.poll() is None:
            self.terminate()
        return self.process.wait(PATIENCE)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
