"""The serve loop: many requests at once, uploads that break off, handlers that throw, and being told to stop."""
import hashlib
import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, f"{ROOT}/test/support")
from fastcgi_client import STDOUT, Program  # noqa: E402

ECHO = os.path.join(ROOT, os.environ.get("BUILD", "build"), "test", "echo")


@pytest.fixture(scope="session", autouse=True)
def built():
    subprocess.run(["make", "--no-print-directory", "-C", ROOT, ECHO, f"BUILD={os.path.dirname(os.path.dirname(ECHO))}"], check=True, stdout=subprocess.DEVNULL)


@pytest.fixture
def start(tmp_path):
    programs = []

    def one(*words):
        programs.append(Program([ECHO, *words], tmp_path))
        return programs[-1]

    yield one
    for program in programs:
        program.kill()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def test_a_request_arrives_whole(start):
    program = start()
    answer = program.ask("POST", "/echo?a=%20b", b"hello", headers={"X-Test": "\u00e9", "Content-Type": "text/plain"}, user="anna", role="admin", via="key")
    assert answer.status == 200
    assert answer.json() == {"method": "POST", "target": "/echo?a=%20b", "user": "anna", "role": "admin", "via": "key", "host": "fax.example", "type": "text/plain", "x_test": "\u00e9", "bytes": 5, "sha256": sha256(b"hello")}
    assert answer.header("Content-Type") == "application/json"
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert int(answer.header("Content-Length")) == len(answer.body)
    assert program.ask("GET", "/none").status == 404
    assert program.ask("PUT", "/echo").header("Allow") == "GET, HEAD, POST"
    assert program.ask("GET", "/mine").status == 401
    long = "x" * 5000
    assert program.ask("GET", "/echo", headers={"X-Test": long}).json()["x_test"] == long
    assert program.stop() == 0


def test_head_has_a_length_and_no_body(start):
    program = start()
    head = program.ask("HEAD", "/echo")
    assert head.status == 200 and head.body == b""
    assert int(head.header("Content-Length")) == len(program.ask("GET", "/echo").body) + 1


def test_twenty_at_once_on_four_threads(start):
    program = start("4")
    bodies = [bytes([number]) * 50000 for number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda body: program.ask("POST", "/echo", body), bodies))
    assert [answer.json()["sha256"] for answer in answers] == [sha256(body) for body in bodies]
    assert program.stop() == 0


def test_threads_work_beside_each_other(start):
    """Three that are in the middle of their uploads do not keep the fourth thread from answering."""
    program = start("4")
    slow = [program.begin("POST", "/echo", length=6) for _ in range(3)]
    for exchange in slow:
        exchange.send(b"abc")
    assert program.ask("GET", "/echo").status == 200
    for exchange in slow:
        exchange.send(b"def")
        exchange.end()
        assert exchange.answer().json()["sha256"] == sha256(b"abcdef")


@pytest.mark.parametrize("how", ["break_off", "end"])
def test_an_upload_that_breaks_off_is_no_whole_one(start, how):
    program = start("1")
    exchange = program.begin("POST", "/echo", length=100)
    exchange.send(b"a" * 40)
    getattr(exchange, how)()
    if how == "end":
        answer = exchange.answer()
        assert answer.status == 400 and answer.header("Content-Type") == "application/problem+json"
    program.wait_for_log("status=400")
    assert "code=bad_request" in program.log()
    assert program.ask("GET", "/echo").status == 200


def test_a_body_ends_at_its_length(start):
    program = start("1")
    assert program.ask("POST", "/echo", b"abcdef", length=3).json()["sha256"] == sha256(b"abc")
    assert program.ask("POST", "/echo", b"abcdef", more={"CONTENT_LENGTH": ""}).json()["sha256"] == sha256(b"abcdef")
    assert program.ask("POST", "/echo", b"abc", more={"CONTENT_LENGTH": "-3"}).status == 400


def test_twelve_megabytes_in_constant_memory(start, tmp_path):
    program = start("1")
    program.ask("POST", "/echo", b"x" * 100000)
    before = program.memory_kb("VmHWM")
    body = os.urandom(12 << 20)
    assert program.ask("POST", "/echo", body).json() | {"target": 0} == program.ask("POST", "/echo", body).json() | {"target": 0}
    assert program.ask("POST", "/echo", body).json()["sha256"] == sha256(body)
    (tmp_path / "file").write_bytes(body)
    answer = program.ask("GET", "/file", headers={"X-File": str(tmp_path / "file")})
    assert answer.body == body and answer.header("Content-Length") == str(len(body))
    part = program.ask("GET", "/file", headers={"X-File": str(tmp_path / "file"), "Range": "bytes=100000-300000"})
    assert part.status == 206 and part.body == body[100000:300001]
    assert part.header("Content-Range") == f"bytes 100000-300000/{len(body)}"
    assert program.memory_kb("VmHWM") - before < 1024


def test_a_refused_upload_is_answered_though_unread(start):
    program = start("1")
    for _ in range(3):
        answer = program.ask("POST", "/refuse", b"x" * (12 << 20))
        assert answer.status == 413 and answer.json()["title"] == "Content Too Large"


@pytest.mark.parametrize("path", ["/throw", "/throw/bare"])
def test_a_handler_that_throws_ends_nothing(start, path):
    program = start("1")
    answer = program.ask("GET", path, more={"REQUEST_ID": "abc123"})
    assert answer.status == 500 and "abc123" in answer.json()["detail"]
    assert b"SECRET" not in answer.body
    assert program.ask("GET", "/echo").status == 200
    assert "SECRET" not in program.log() and "level=error" in program.log()
    assert program.stop() == 0


def test_whoever_goes_away_while_we_write_ends_nothing(start, tmp_path):
    program = start("1")
    with open(tmp_path / "file", "wb") as file:
        file.truncate(64 << 20)
    for path in ("/many", "/file"):
        exchange = program.begin("GET", path, headers={"X-File": str(tmp_path / "file")})
        exchange.end()
        kind, _ = next(exchange.records())
        assert kind == STDOUT
        exchange.break_off()
        assert program.ask("GET", "/echo").status == 200
    assert program.log().count("nobody waited for the answer") == 2


def test_a_file_that_shrinks_is_seen_by_its_length(start, tmp_path):
    program = start("1")
    (tmp_path / "file").write_bytes(b"abc")
    answer = program.ask("GET", "/short", headers={"X-File": str(tmp_path / "file")})
    assert answer.body == b"abc" and int(answer.header("Content-Length")) > 3
    assert "answer cut short" in program.log()


def test_a_connection_is_never_kept(start):
    """A thread that stays on a kept connection would be lost for everybody else."""
    program = start("1")
    exchange = program.begin("GET", "/echo", keep=True)
    exchange.end()
    assert [kind for kind, _ in exchange.records()].count(STDOUT) >= 1
    assert exchange.socket.recv(1) == b""
    assert program.ask("GET", "/echo").status == 200


def test_rubbish_and_silence_end_nothing(start):
    program = start("2")
    for content in [b"", b"GET / HTTP/1.1\r\n\r\n", b"\x01\x01\x00\x01\x00\x08\x00\x00", b"\xff" * 64, os.urandom(4096)]:
        with socket.socket(socket.AF_UNIX) as one:
            one.connect(program.socket)
            one.sendall(content)
    assert program.ask("GET", "/echo").status == 200
    assert program.stop() == 0


def test_told_to_stop_it_finishes_what_it_has_begun(start):
    program = start("2")
    exchange = program.begin("POST", "/echo", length=6)
    exchange.send(b"abc")
    assert program.ask("GET", "/echo").status == 200  # connected later, so ours was accepted before
    program.terminate()
    with pytest.raises(subprocess.TimeoutExpired):
        program.process.wait(0.3)
    exchange.send(b"def")
    exchange.end()
    assert exchange.answer().json()["sha256"] == sha256(b"abcdef")
    assert program.process.wait(5) == 0


def test_stopping_under_load_breaks_no_request_that_was_accepted(start):
    program = start("4")
    done, stop = [], threading.Event()

    def keep_asking():
        while not stop.is_set():
            try:
                done.append(program.ask("POST", "/echo", b"x" * 20000).status)
            except (ConnectionRefusedError, FileNotFoundError):
                return
            except (ConnectionResetError, ConnectionError):
                done.append("in the queue")  # connected, never accepted: the kernel's end of it
                return

    with ThreadPoolExecutor(8) as pool:
        for _ in range(8):
            pool.submit(keep_asking)
        while len(done) < 100:
            time.sleep(0.01)
        status = program.stop()
        stop.set()
    assert status == 0
    answered = program.log().count("status=200")
    assert set(done) <= {200, "in the queue"} and done.count(200) == answered


def test_it_gives_up_in_the_end(start):
    program = start("2", "300")
    exchange = program.begin("POST", "/echo", length=6)
    exchange.send(b"abc")
    assert program.ask("GET", "/echo").status == 200
    begun = time.monotonic()
    assert program.stop() == 1
    assert time.monotonic() - begun < 5
    assert "requests unfinished" in program.log()


def test_idle_it_stops_at_once_and_costs_nothing_meanwhile(start):
    program = start("4")
    assert program.ask("GET", "/echo").status == 200

    def ticks():
        with open(f"/proc/{program.process.pid}/stat", encoding="ascii") as file:
            return sum(int(word) for word in file.read().split()[13:15])

    before = ticks()
    time.sleep(0.5)
    assert ticks() - before <= 5  # of 50, which one thread that turns round and round would take
    begun = time.monotonic()
    assert program.stop() == 0
    assert time.monotonic() - begun < 2


def test_the_log_holds_no_query_and_no_token(start):
    program = start()
    assert program.ask("POST", "/fax/callback/TOKEN?t=TOKEN", more={"REQUEST_ID": "r1"}).status == 200
    program.ask("GET", "/echo?t=TOKEN\nlevel=error", headers={"X-Test": "TOKEN"})
    program.wait_for_log("path=/echo")
    assert "TOKEN" not in program.log()
    assert "request=r1 method=POST path=/fax/callback/ status=200 ms=" in program.log()


def test_without_a_socket_it_says_how_to_start_it():
    done = subprocess.run([ECHO], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 64 and "spawn-fcgi -n -s SOCKET" in done.stderr
