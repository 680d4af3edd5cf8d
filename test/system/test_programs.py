"""Each FastCGI program alone on its socket, with settings of its own: it starts, answers, refuses bad settings, and stops well."""
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, f"{ROOT}/test/support")
from fastcgi_client import Exchange, Program, parameters  # noqa: E402

BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
# Of each program a typical request, the status and a piece of the answer; then one with a body that the program reads, as JSON or as a form.
ANNA = {"user": "anna", "headers": {"Origin": "https://fax.example", "Content-Type": "application/json"}}
STRANGER = {"headers": {"Origin": "https://fax.example", "Content-Type": "application/json"}}
FORM = {"headers": {"Content-Type": "application/x-www-form-urlencoded"}}
PROGRAMS = {
    "session": (("GET", "/api/session", {}), 401, b"problem", ("POST", "/api/session", STRANGER)),
    "send": (("GET", "/api/numbers?q=2125551212", {"user": "anna"}), 200, b"+12125551212", ("POST", "/api/faxes", ANNA)),
    "status": (("GET", "/api/ping", {}), 200, b'{"status":"ok"}', ("POST", "/api/faxes", ANNA)),
    "inbox": (("GET", "/api/faxes/01hzzzzzzzzzzzzzzzzzzzzzzz/document.pdf", {"user": "anna"}), 404, b"problem", ("POST", "/api/faxes/01hzzzzzzzzzzzzzzzzzzzzzzz/read", ANNA)),
    "inbound": (("POST", "/fax/initialize", FORM), 403, b"", ("POST", "/fax/initialize", FORM)),
    "media": (("GET", "/fax/sending/nonsense", {}), 404, b"", ("POST", "/fax/sending/nonsense", FORM)),
    "sandbox": (("GET", "/v1/Faxes", {}), 401, b"", ("POST", "/v1/Faxes", FORM)),
}
READS_BODY = {"session", "inbound"}  # of a stranger, before anything else is known


@pytest.fixture
def settings(tmp_path):
    for folder in ("db", "people", "spool", "spool/tmp", "handout", "sandbox", "sockets", "mail"):
        (tmp_path / "state" / folder).mkdir(parents=True, exist_ok=True)
    values = {"MAILDIR_ROOT_DIR": tmp_path / "state/mail", "PUBLIC_HOSTNAME": "fax.example", "TWILIO_SID": "AC1", "TWILIO_TOKEN": "a long random word",
              "STATE_DIR": tmp_path / "state", "SOCKET_DIR": tmp_path / "state/sockets"}

    def write(**changes):
        path = tmp_path / "faxline.conf"
        path.write_text("".join(f"{name}={value}\n" for name, value in {**values, **changes}.items()), encoding="utf-8")
        return {"FAXLINE_CONF": str(path), "PATH": os.environ["PATH"]}

    return write


@pytest.fixture(params=sorted(PROGRAMS))
def name(request):
    return request.param


@pytest.fixture
def program(name, settings, tmp_path):
    with Program([f"{BUILD}/cgi-bin/{name}"], tmp_path, env=settings()) as one:
        yield one


def test_it_answers_alone_and_stops_when_told(name, program):
    (method, target, more), status, piece, _ = PROGRAMS[name]
    answer = program.ask(method, target, **more)
    assert answer.status == status, (answer.headers, program.log())
    assert piece in answer.body or piece in (answer.header("Content-Type") or "").encode()
    assert program.ask("GET", "/no/such/path").status in (401, 404)
    assert program.stop() == 0
    assert "a long random word" not in program.log()


def test_it_survives_a_body_that_breaks_off(name, program):
    (method, target, more), status, _, (body_method, body_target, body_more) = PROGRAMS[name]
    for _ in range(6):  # more often than there are threads
        exchange = program.begin(body_method, body_target, length=1000, **body_more)
        exchange.send(b"half of it")
        exchange.break_off()
    assert program.ask(method, target, **more).status == status
    assert program.stop() == 0


def test_it_ends_what_it_has_begun(name, program):
    _, _, _, (method, target, more) = PROGRAMS[name]
    exchange = program.begin(method, target, length=10, **more)
    exchange.send(b"12345")
    assert program.ask("GET", "/no/such/path").status in (401, 404)  # connected later, so ours was accepted before
    program.terminate()
    if name in READS_BODY:
        with pytest.raises(subprocess.TimeoutExpired):
            program.process.wait(0.3)
    exchange.send(b"67890")
    exchange.end()
    assert 400 <= exchange.answer().status < 500
    assert program.process.wait(10) == 0


@pytest.mark.parametrize("wrong, words", [({"MAX_FAX_BITES": "5"}, "MAX_FAX_BYTES"), ({"LAN_PORT": "many"}, "LAN_PORT"), ({"TWILIO_SID": ""}, "TWILIO_SID"),
                                          ({"PROVIDER_URL": "https://fax.example"}, "PROVIDER_URL")])
def test_bad_settings_are_refused_in_a_sentence(name, settings, tmp_path, wrong, words):
    place = tmp_path / "refused.sock"
    done = subprocess.run(["spawn-fcgi", "-n", "-s", str(place), "--", f"{BUILD}/cgi-bin/{name}"], env=settings(**wrong), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 78, done
    sentence = next(line for line in done.stderr.splitlines() if line.startswith(f"{name}: "))
    assert words in sentence
    assert "a long random word" not in done.stderr


def test_a_settings_file_that_is_not_there_is_refused(name, tmp_path):
    done = subprocess.run(["spawn-fcgi", "-n", "-s", str(tmp_path / "none.sock"), "--", f"{BUILD}/cgi-bin/{name}"], env={"FAXLINE_CONF": str(tmp_path / "none.conf"), "PATH": os.environ["PATH"]},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 78 and "FAXLINE_CONF" in done.stderr


def test_whoever_waits_for_one_that_cannot_start_is_told_so(name, settings, tmp_path):
    """nginx would wait a minute for it, and the provider with it; systemd keeps the socket between two tries."""
    path = str(tmp_path / "kept.sock")
    with socket.socket(socket.AF_UNIX) as kept:
        kept.bind(path)
        kept.listen(16)
        waiting = []
        for body in (b"", b"x" * 1000):
            waiting.append(Exchange(path, parameters("POST", "/any/path", len(body))))
            waiting[-1].send(body)
            waiting[-1].end()
        (tmp_path / "state/restore.new").mkdir()
        with ThreadPoolExecutor() as callers:
            answers = callers.map(Exchange.answer, waiting)
            done = subprocess.run([f"{BUILD}/cgi-bin/{name}"], env=settings(), stdin=kept, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 78 and "repeat `faxline restore`" in done.stderr
    for answer in answers:
        assert answer.status == 503 and int(answer.header("Retry-After")) > 0
        assert answer.json()["detail"] == "This part of the fax line cannot start; its log says why. Try again in a moment."
