"""The limits: an nginx with nothing behind it, and a disk with nothing above it."""
import os
import socket
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


class Reference:
    """An nginx with the line's TLS settings and certificate: /echo is a program that does nothing, all else are files."""

    def __init__(self, folder, port, tls, echo):
        self.folder, self.port, self.url = folder, port, f"https://localhost:{port}"
        self.authority, self.children = f"{tls}/ca.pem", []
        os.makedirs(f"{folder}/files")
        # Of our site files only what is included is used, so these values matter to nobody.
        values = {f"{name}_{kind}": "none" for name in ("LAN", "PUBLIC") for kind in ("CERTIFICATE", "KEY")}
        values |= {f"{name}_PORT": str(port) for name in ("LAN", "PUBLIC", "ACME", "SANDBOX")}
        values |= {f"{name}_DIR": folder for name in ("SOCKET", "STATE", "HTML", "LOG")}
        subprocess.run([f"{ROOT}/nginx/render", f"{folder}/site", *(f"{name}={value}" for name, value in values.items())], check=True)
        with open(f"{HERE}/reference.conf", encoding="utf-8") as file:
            text = file.read()
        for name, value in {"FOLDER": folder, "PORT": str(port), "TLS": tls}.items():
            text = text.replace(f"@{name}@", value)
        with open(f"{folder}/nginx.conf", "w", encoding="utf-8") as file:
            file.write(text)
        self.spawn("spawn-fcgi", "-n", "-s", f"{folder}/echo.sock", "-M", "0600", "--", echo)
        self.spawn("/usr/sbin/nginx", "-p", folder, "-c", f"{folder}/nginx.conf", "-e", f"{folder}/error.log", *(["-g", "user root;"] if os.getuid() == 0 else []))
        self.wait()

    def spawn(self, *words):
        with open(f"{self.folder}/children.log", "ab") as log:
            self.children.append(subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def wait(self):
        end = time.monotonic() + 10
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port)), socket.socket(socket.AF_UNIX) as program:
                    program.connect(f"{self.folder}/echo.sock")
                return
            except OSError:
                if time.monotonic() > end or any(child.poll() is not None for child in self.children):
                    raise
                time.sleep(0.02)

    def put(self, name, data):
        with open(f"{self.folder}/files/{name}", "wb") as file:
            file.write(data)
        return f"{self.url}/{name}"

    def close(self):
        for child in self.children:
            child.terminate()
        for child in self.children:
            child.wait(20)


def seconds_to_keep(folder, data):
    """Write, fsync, rename: the least that makes these bytes durable under a name."""
    path = f"{folder}/kept"
    start = time.perf_counter()
    descriptor = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.rename(path + ".new", path)
    return time.perf_counter() - start
