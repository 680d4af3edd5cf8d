"""The certificate's life, in a room of its own (certificate_room.py): one stands in, the first is fetched by certbot from an
authority, renewed under load, refused where it cannot be right, taken back where it is not shown. In the order of this file."""
import os
import signal
import subprocess

import pytest

from certificate_room import HOOKS, HOST, PREFIX, TLS, Cannot, Room
from line import ROOT, wait_until

MODES = ["combined.pem root:courier 640", "fullchain.pem root:root 644", "privkey.pem root:root 600"]


@pytest.fixture(scope="module", name="room")
def room_fixture():
    try:
        room = Room()
    except Cannot as why:
        pytest.skip(f"*** NO CERTIFICATE WAS FETCHED: {why}")
    try:
        # In this order on a machine, too: apply has it made before nginx starts.
        room.run(f"{HOOKS}/stand-in {HOST}")
        room.start_nginx()
        room.start_pop3()
        room.start_authority()
        subprocess.run(["/usr/bin/python3", f"{ROOT}/test/support/lineages", f"{room.folder}/room/lineage", HOST], check=True)
        yield room
    finally:
        room.close()


def modes(room):
    return room.run(f"cd {TLS}/current && stat -L -c '%n %U:%G %a' *.pem").splitlines()


def current(room):
    return os.readlink(f"{room.folder}/installed{TLS}/current")


def headers(room):
    return room.run(f"curl -sSk -o /dev/null -D - --resolve {HOST}:443:127.0.0.1 https://{HOST}/").lower()


def folders(room):
    return set(room.run(f"ls {TLS}").split())


def test_one_that_this_machine_made_stands_in(room):
    found = room.shown()
    assert set(found) == {"lan", "public", "pop3"} and all(it["self_signed"] and it["fits"] for it in found.values())
    assert room.run(f"{PREFIX}/bin/faxline certificate show >/dev/null; echo $?").strip() == "1"
    assert "strict-transport-security" not in headers(room)
    assert modes(room) == MODES
    before = current(room)
    room.run(f"{HOOKS}/stand-in {HOST}")
    assert current(room) == before, "run twice, it made another"


def test_what_to_do_is_said_where_the_authority_does_not_come_through(room):
    get = f"{PREFIX}/bin/faxline certificate get; echo status $?"
    room.stop_nginx()
    said = room.run(get, check=False)
    assert "status 69" in said and "forward TCP port 80 from outside to TCP port 3298" in said and "refused" in said, said
    room.start_nginx()
    said = room.run(get, check=False, PUBLIC_HOSTNAME="nowhere.example.org")
    assert "status 69" in said and "The name nowhere.example.org cannot be looked up" in said, said
    assert all(it["self_signed"] for it in room.shown().values())


def test_the_first_one_is_fetched_and_shown_by_all(room):
    said = room.run(f"{PREFIX}/bin/faxline certificate get 2>&1")
    assert "It is served" in said
    found = room.shown()
    assert len({it["serial"] for it in found.values()}) == 1 and len(found) == 3
    assert not any(it["self_signed"] for it in found.values()) and all(it["fits"] and it["days_left"] in (89, 90) for it in found.values())
    assert room.run(f"{PREFIX}/bin/faxline certificate show >/dev/null; echo $?").strip() == "0"
    assert modes(room) == MODES and "max-age=31536000" in headers(room)
    assert "id-ecPublicKey" in room.run(f"openssl x509 -in {TLS}/current/fullchain.pem -noout -text")
    # Whoever trusts the authority, as providers do, gets through to each listener, with the chain that is sent.
    for port in (443, 3297, 995):
        room.run(f"openssl s_client -connect 127.0.0.1:{port} -servername {HOST} -verify_hostname {HOST} -CAfile /room/root.pem -verify_return_error </dev/null")
    # A real one is never replaced by one of ours.
    before = current(room)
    room.run(f"{HOOKS}/stand-in another.example.org")
    assert current(room) == before
    # And one that is good for long is not fetched anew.
    room.run(f"{PREFIX}/bin/faxline certificate get 2>&1")
    assert room.serials() == {found["lan"]["serial"]}


@pytest.mark.parametrize("port", [443, 3297])
def test_tls_is_of_today(room, port):
    client = f"openssl s_client -connect 127.0.0.1:{port} -servername {HOST}"
    for version in ("tls1_2", "tls1_3"):
        assert "Cipher is" in room.run(f"{client} -{version} </dev/null 2>&1")
        request = f"printf 'GET / HTTP/1.1\\r\\nHost: {HOST}\\r\\nConnection: close\\r\\n\\r\\n'"
        assert "New, " in room.run(f"{request} | {client} -{version} -ign_eof -sess_out /room/session 2>&1")
        assert "Reused, " in room.run(f"{request} | {client} -{version} -ign_eof -sess_in /room/session 2>&1"), f"{version} is not resumed"
    for old in ("-tls1", "-tls1_1", "-tls1_2 -cipher AES128-SHA", "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA256"):
        assert "Cipher is (NONE)" in room.run(f"{client} {old},@SECLEVEL=0 </dev/null 2>&1; true" if "cipher" in old else f"{client} {old} -cipher ALL:@SECLEVEL=0 </dev/null 2>&1; true"), old


def test_a_renewal_disturbs_nobody(room):
    before = room.serials()
    with open(f"{ROOT}/test/support/callers", encoding="utf-8") as file:
        words = room.words("python3", "-c", file.read(), HOST)
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as callers:
        room.run("certbot renew --force-renewal --no-random-sleep-on-renew -q")
        after = room.serials(("lan", "public", "pop3"))
        count, wrong = callers.communicate("\n", timeout=60)[0].split(" ", 1)
    assert len(after) == 1 and after != before
    assert wrong.strip() == "[]" and int(count) > 30, (count, wrong)


@pytest.mark.parametrize(
    "lineage, reason",
    [("key", "its key does not fit it"), ("no-chain", "its chain is missing"), ("chain", "its chain is broken"), ("ended", "it has ended"),
     ("name", f"it is not for {HOST}"), ("unreadable", "privkey.pem cannot be read"), ("garbage", "begins with no certificate")],
)  # fmt: skip
def test_what_cannot_be_right_is_never_served(room, lineage, reason):
    before, there = room.serials(("lan", "public", "pop3")), folders(room)
    status, said = room.deploy(lineage)
    assert status == 1 and reason in said and "The one before goes on being served" in said, said
    assert room.serials(("lan", "public", "pop3")) == before and folders(room) == there


def test_certbot_tells_of_a_renewal_that_is_not_served(room):
    before = room.serials()
    room.run("mv /room/nginx/site.conf /room/site.conf; echo 'nonsense on;' >/room/nginx/site.conf")
    said = room.run("certbot renew --force-renewal --no-random-sleep-on-renew; true", check=False)
    assert "nginx refuses it" in said and "nonsense" in said, said
    room.run("mv /room/site.conf /room/nginx/site.conf")
    assert room.serials(("lan", "public", "pop3")) == before
    # What certbot has by now is served once nginx takes it.
    status, said = room.deploy(f"../../etc/letsencrypt/live/{HOST}")
    assert status == 0, said
    assert room.serials() != before


def test_other_lineages_are_none_of_its_business(room):
    before, there = room.serials(), folders(room)
    assert room.deploy("good", "www.example.org mail.example.org") == (0, "")
    assert room.serials() == before and folders(room) == there


@pytest.mark.parametrize("line", ["PUBLIC_HOSTNAME=FAX.Example.ORG", f"  export PUBLIC_HOSTNAME = '{HOST}'  ", f'PUBLIC_HOSTNAME="{HOST}"'])
def test_the_name_is_read_as_the_programs_do_and_compared_as_names_are(room, line):
    room.write("room/written.conf", line + "\n")
    before = room.serials()
    # Told by what is looked at: this one is ours, and not as it should be.
    status, said = room.deploy("chain", FAXLINE_CONF="/room/written.conf")
    assert status == 1 and "its chain is broken" in said, said
    assert room.serials() == before


def test_what_others_put_there_stays(room):
    room.run(f"cd {TLS} && mkdir -p backup Admin.folder new.killed stand-in.killed 0A0B.abcdef && touch dhparam.pem 0A0B.abcdef/combined.pem")
    assert room.deploy("good")[0] == 0
    found = folders(room)
    assert {"backup", "Admin.folder", "dhparam.pem", "current"} <= found and not found & {"new.killed", "stand-in.killed", "0A0B.abcdef"}
    room.run(f"cd {TLS} && rm -r backup Admin.folder dhparam.pem")
    assert room.deploy(f"../../etc/letsencrypt/live/{HOST}")[0] == 0


def test_one_that_is_not_shown_is_taken_back(room):
    before = room.serials()
    # nginx is told, and goes on with the one before.
    status, said = room.deploy("good", FAXLINE_NGINX_RELOAD="true")
    assert status == 1 and "is shown by nginx or POP3 in place of" in said, said
    room.run("systemctl reload nginx")
    wait_until(lambda: room.serials(("lan", "public", "pop3")) == before)


def test_a_hook_that_is_killed_leaves_what_is_whole(room):
    before = room.serials()
    room.write("room/killer", "#!/bin/sh\nkill -KILL $PPID\nsleep 1\n", 0o755)
    status, _ = room.deploy("good", FAXLINE_NGINX="/room/killer")
    assert status == 128 + signal.SIGKILL or status == -signal.SIGKILL
    room.run("nginx -t -q")  # a machine that starts again now has something to start with
    assert room.serials() == before
    assert room.deploy("good")[0] == 0
    assert room.serials(("lan", "public", "pop3")) != before and len(room.serials(("lan", "public", "pop3"))) == 1
    # The same again, with modes that are wrong and a key that somebody damaged: it is put right.
    room.run(f"chmod 666 {TLS}/current/*.pem; echo >{TLS}/current/privkey.pem")
    assert room.deploy("good")[0] == 0
    assert modes(room) == MODES
    room.run("nginx -t -q")
    assert len([name for name in folders(room) if name not in ("current", "practice")]) == 2, "one that is served, and the one before"


def test_a_mail_server_with_a_certificate_of_its_own_is_left_alone(room):
    room.run(f"cp {TLS}/current/combined.pem /room/own.pem")
    room.stop_pop3()
    room.start_pop3("/room/own.pem")
    # It shows ours as long as that is the same, so it must follow; and it does not.
    before = room.serials()
    status, said = room.deploy("soon")
    assert status == 1 and "by nginx or POP3" in said, said
    wait_until(lambda: room.serials() == before)
    room.run("cat /room/lineage/soon/privkey.pem /room/lineage/soon/fullchain.pem >/room/own.pem")
    own = room.serials(("pop3",))
    assert own != before
    room.run("certbot renew --force-renewal --no-random-sleep-on-renew -q")
    assert room.serials(("pop3",)) == own and room.serials() not in (own, before)


def test_another_kind_of_key(room):
    said = room.run(f"{PREFIX}/bin/faxline certificate get 2>&1", CERTIFICATE_KEY="rsa")
    assert "It is served" in said
    assert "rsaEncryption" in room.run(f"openssl x509 -in {TLS}/current/fullchain.pem -noout -text")
    assert len(room.serials()) == 1
