"""A machine that was just set up becomes a fax line as README.md says, word by word, and stays one: through kills, reboots, a
power cut, wrong settings and another installation. In the order of this file, on one machine."""
import json
import re

import pytest

from authority import DIRECTORY, certificate_authority
from installed import LETTER, NAME, OWN_NUMBER, PASSWORD, converse, faxes, is_over, is_up, mails, send, wait_until_up
from machine import BUILD, ROOT, booted, quoted

PROGRAMS = ("session", "send", "status", "inbox", "inbound", "media", "sandbox", "queue", "deliver")


def read(path):
    with open(f"{ROOT}/{path}", encoding="utf-8") as file:
        return file.read()


def chapter():
    return re.search(r"^## On your own machine\n(.*?)^## ", read("README.md"), re.M | re.S)[1]


def blocks():
    """The commands of the chapter, a list for each block."""
    return [[line[4:] for line in block.splitlines()] for block in re.findall(r"(?:^    \S.*\n(?:^    .*\n)*)", chapter(), re.M)]


def rooms():
    """program -> (account, folders that it may write to, network), from README.md."""
    rows = re.findall(r"^\| `([\w-]+)` \|[^|]*\| ([\w -]+) \|([^|]*)\| (yes|no|this machine) \|$", read("README.md"), re.M)
    return {name: (account, set(re.findall(r"`(\w+)`", folders)), network != "no") for name, account, folders, network in rows}


@pytest.fixture(scope="module")
def machine():
    with booted() as one:
        yield one


# What the page does, from the command line: log in at the LAN listener, send a file, follow it to its end.
BY_PAGE = r'''
import http.client, json, ssl, sys, time
open_tls = ssl._create_unverified_context()
def ask(method, path, body=None, headers={}):
    connection = http.client.HTTPSConnection("localhost", 443, context=open_tls, timeout=30)
    connection.request(method, path, body, {"Origin": "https://localhost", **headers})
    answer = connection.getresponse()
    text = answer.read()
    assert answer.status // 100 == 2, (path, answer.status, text)
    return answer, json.loads(text)
answer, _ = ask("POST", "/api/session", json.dumps({"username": "anna", "password": sys.argv[1]}), {"Content-Type": "application/json"})
cookie = {"Cookie": answer.getheader("Set-Cookie").split(";")[0]}
parts = b'--x\r\nContent-Disposition: form-data; name="to"\r\n\r\n' + sys.argv[2].encode() + b'\r\n--x\r\nContent-Disposition: form-data; name="file"; filename="letter.pdf"\r\nContent-Type: application/pdf\r\n\r\n' + open("letter.pdf", "rb").read() + b"\r\n--x--\r\n"
_, fax = ask("POST", "/api/faxes", parts, {**cookie, "Content-Type": "multipart/form-data; boundary=x"})
end = time.monotonic() + 60
while not fax["final"] and time.monotonic() < end:
    time.sleep(0.3)
    _, fax = ask("GET", "/api/faxes/" + fax["id"], None, cookie)
print(fax["status"])
'''


# What a person does in the editor: the name, and here, too, the authority that is asked.
EDIT = f"""#!/bin/sh
sed -i -e 's/^#*PUBLIC_HOSTNAME=.*/PUBLIC_HOSTNAME=fax.example.org/' -e 's,^#*ACME_SERVER=.*,ACME_SERVER={DIRECTORY},' "$1"
"""


def test_as_the_readme_says(machine):
    """From `git clone` to a received fax read by POP3."""
    download, certificate, user, settings, trial, mailbox, talk, later = blocks()
    certificate_authority(machine, "fax.example.org")
    machine.as_person("git config --global url./srv/faxline.git.insteadOf https://git.example.org/faxline.git")
    machine.as_person("cat >edit; chmod +x edit", given=EDIT)
    machine.as_person(f"python3 -c {quoted(LETTER)}")
    place = "."
    for line in download:
        if line == "make":  # this machine has built it already
            machine.as_person("mkdir faxline/build && cd faxline && cp -a /srv/build/bin /srv/build/cgi-bin /srv/build/object /srv/build/libfaxline.a build && find . -path ./build -prune -o -exec touch -d 2020-01-01 {} +")
        machine.as_person(f"cd {place} && {line}", seconds=300)
        place = "faxline" if line == "cd faxline" else place
    machine.until(lambda: "ok" in machine.run("python3 -c 'import ssl, urllib.request as u; print(u.urlopen(\"https://localhost/api/ping\", context=ssl._create_unverified_context()).read())'", check=False), 20, "the page is up")
    left = [words for words in machine.run("faxline config check", check=False).splitlines() if words.startswith("Still to do")]
    assert [re.search("own name|certificate get|user add|mailbox add|FAX_PROVIDER", line)[0] for line in left] == ["own name", "certificate get", "user add", "mailbox add", "FAX_PROVIDER"]
    for line in certificate:
        machine.as_person(f"export EDITOR=~/edit; {line}", seconds=180)
    served = machine.run("faxline certificate show --json 2>/dev/null", check=False)
    assert {it["listener"]: it["self_signed"] for it in json.loads(served) if it["listener"] != "pop3"} == {"lan": False, "public": False}
    for line in user:
        machine.as_person(line, given="secret-word-1\n")
    for line in settings:
        machine.as_person(f"export EDITOR=~/edit; {line}")
    then = machine.run("faxline config check", check=False)
    assert "PUBLIC_HOSTNAME=fax.example.org" in then
    assert [re.search(word, then) is not None for word in ("own name", "certificate get", "mailbox add", "FAX_PROVIDER")] == [False, False, True, True]
    assert machine.run("systemctl is-active certbot.timer").strip() == "active"
    machine.until(lambda: "Its last sign of life" in machine.run("faxline doctor", check=False), 20, "the queue works")
    wrong = re.findall(r"^wrong\t(\w+)", machine.as_person(trial[0], check=False), re.M)
    assert set(wrong) <= {"mailbox", "mails"}, "doctor finds more than that there is no mailbox yet"
    machine.run(f"cat >/home/anna/by_page.py <<'END'\n{BY_PAGE}\nEND")
    assert machine.as_person(f"python3 by_page.py secret-word-1 {OWN_NUMBER}").strip() == "delivered"
    machine.until(lambda: sorted(faxes(machine).values()) == ["delivered", "received"], 20, "it comes in")
    for line in mailbox:
        machine.as_person(line, given=PASSWORD + "\n")
    machine.until(lambda: mails(machine) >= 1, 60, "the fax that waited is in the mailbox")
    machine.run("faxline receive /home/anna/letter.pdf --from +12125551212")
    machine.until(lambda: list(faxes(machine).values()).count("received") == 2, 20, "a fax from outside")
    typed, expected = [line for line in talk[1:] if not line.startswith(" ")], [line.strip() for line in talk if line.startswith(" ")]
    answers = converse(machine, talk[0] + " -quiet", typed)
    for answer, printed in zip(answers[1:], expected):
        assert re.sub(r"\d+", "N", answer) == re.sub(r"\d+", "N", printed)
    assert int(answers[3].split()[1]) >= 1
    for line in later:
        machine.as_person(line)
    assert is_up(machine)


def test_owners_and_modes(machine):
    """design: who owns what; a program that made a file as root would show here."""
    wanted = """/var/lib/faxline root:root 711
/var/lib/faxline/people faxline-auth:faxline-auth 700
/var/lib/faxline/people/people.db faxline-auth:faxline-auth 600
/var/lib/faxline/db faxline:faxline 2770
/var/lib/faxline/spool faxline:faxline 2770
/var/lib/faxline/handout faxline:www-data 2710
/var/lib/faxline/sandbox faxline-sandbox:faxline-sandbox 700
/var/lib/faxline/acme root:root 755
/etc/faxline/faxline.conf root:root 600
/etc/faxline/tls/current/privkey.pem root:root 600
/etc/faxline/tls/current/combined.pem root:courier 640
/run/faxline-settings root:root 700
/run/faxline/session.sock root:www-data 660
/run/faxline/wake.sock root:faxline 660
/run/faxline/deliver.sock faxline:faxline 600
/home/myfaxuser/Maildir myfaxuser:myfaxuser 700"""
    names = " ".join(line.split()[0] for line in wanted.splitlines())
    assert machine.run(f"stat -L -c '%n %U:%G %a' {names}").strip() == wanted
    roots = machine.run("find /var/lib/faxline -mindepth 2 ! -path '*/acme/*' -user root")
    assert roots == "", "files of root's that no program can write to"
    assert machine.run("getent passwd myfaxuser | cut -d: -f7").strip() == "/usr/sbin/nologin"


SECRETS = {
    "people": "/var/lib/faxline/people/people.db",
    "db": "/var/lib/faxline/db/faxline.db",
    "spool": "/var/lib/faxline/spool",
    "handout": "/var/lib/faxline/handout/probe",
    "sandbox": "/var/lib/faxline/sandbox/number.json",
}
FOR_NOBODY = ["/etc/faxline/faxline.conf", "/etc/faxline/tls/current/privkey.pem", "/etc/faxline/tls/current/combined.pem", "/etc/shadow", "/run/faxline-settings", "/root", "/home/anna", "/home/myfaxuser/.bashrc", "/var/log/faxline"]


@pytest.mark.parametrize("program", PROGRAMS)
def test_room(machine, program):
    """What can be opened from inside a unit, with its account: what README.md's table says, and nothing else."""
    table = rooms()
    account, folders, network = table[program if program in table else f"faxline-{program}"]
    unit = f"faxline-{program}.service"
    pid = machine.run(f"systemctl show -P MainPID {unit}").strip()
    status = dict(re.findall(r"^(Uid|Gid|Groups|CapBnd|NoNewPrivs|Seccomp):\s*(.*)$", machine.run(f"cat /proc/{pid}/status"), re.M))
    uid, gid = status["Uid"].split()[0], status["Gid"].split()[0]
    assert machine.run(f"id -un {uid}").strip() == (NAME if account == "the mail user" else account)
    assert (int(status["CapBnd"], 16), status["NoNewPrivs"], status["Seccomp"]) == (0, "1", "2")
    groups = ",".join(status["Groups"].split()) or gid
    inside = f"nsenter -t {pid} -m -n setpriv --reuid {uid} --regid {gid} --groups {groups} --no-new-privs"
    others = [f"/run/credentials/faxline-{other}.service/faxline.conf" for other in PROGRAMS if other != program]
    probes = {**SECRETS, **{path: path for path in FOR_NOBODY + others}, "Maildir": "/home/myfaxuser/Maildir", "own": f"/run/credentials/{unit}/faxline.conf"}
    script = "".join(f'[ -n "$(ls -A {path} 2>/dev/null)" ] && [ -r {path} ] && if [ -d {path} ]; then true; else cat {path} >/dev/null 2>&1; fi && echo {name}; ' for name, path in probes.items())
    machine.run("install -o faxline -g www-data -m 640 /dev/null /var/lib/faxline/handout/probe")
    readable = set(machine.run(f"{inside} sh -c {quoted(script + 'true')}").split())
    maildir = {"Maildir"} if program == "deliver" else set()
    assert readable == folders | maildir | {"own"}
    places = {name: f"/var/lib/faxline/{name}" for name in ("people", "db", "spool", "handout", "sandbox", "acme")} | {"Maildir": "/home/myfaxuser/Maildir/tmp", "root": "/usr", "sockets": "/run/faxline", "etc": "/etc"}
    script = "".join(f"( : >{path}/probe ) 2>/dev/null && rm {path}/probe && echo {name}; " for name, path in places.items())
    assert set(machine.run(f"{inside} sh -c {quoted(script + 'true')}").split()) == folders | maildir
    assert (machine.run(f"readlink /proc/{pid}/ns/net") == machine.run("readlink /proc/1/ns/net")) == network


def test_settings_of_a_program_hold_no_secret_of_another(machine):
    token = re.search(r"^TWILIO_TOKEN=(\w+)$", machine.read("/etc/faxline/faxline.conf"), re.M)[1]
    holders = {program for program in PROGRAMS if token in machine.run(f"cat /run/credentials/faxline-{program}.service/faxline.conf")}
    assert holders == {"inbound", "sandbox", "queue"}


@pytest.mark.parametrize("program", PROGRAMS)
def test_killed_and_back(machine, program):
    unit = f"faxline-{program}.service"
    before = machine.run(f"systemctl show -P MainPID {unit}").strip()
    machine.run(f"kill -9 {before}")
    machine.until(lambda: machine.run(f"systemctl show -P MainPID {unit}").strip() not in (before, "0"), 15, f"{unit} is started again")
    if program == "send":  # the socket kept what came meanwhile
        assert machine.as_person(f"python3 by_page.py secret-word-1 {OWN_NUMBER}").strip() == "delivered"


def test_a_crash_loop_is_nobody_elses_trouble(machine):
    machine.run("mv /usr/lib/faxline/cgi-bin/inbox /root/inbox; cp /bin/false /usr/lib/faxline/cgi-bin/inbox; kill -9 $(systemctl show -P MainPID faxline-inbox)")
    machine.until(lambda: int(machine.run("systemctl show -P NRestarts faxline-inbox")) >= 3, 30, "it crashes again and again")
    is_over(machine, send(machine))
    assert "wrong\tprograms\tinbox does not answer" in machine.run("faxline doctor", check=False)
    machine.run("mv /root/inbox /usr/lib/faxline/cgi-bin/inbox")
    wait_until_up(machine, 30)


@pytest.mark.parametrize("how", ["reboot", "power cut"])
def test_in_the_middle_of_a_fax(machine, how):
    known, mailed = faxes(machine), mails(machine)
    fax = send(machine)
    machine.until(lambda: faxes(machine).get(fax) == "sending", 20, "it is being sent")
    if how == "reboot":
        machine.reboot()
    else:
        machine.cut_power()
    wait_until_up(machine, 60)
    is_over(machine, fax)
    machine.until(lambda: len(faxes(machine)) == len(known) + 2, 30, "it came in once")
    assert set(known) < set(faxes(machine))
    machine.until(lambda: mails(machine) > mailed, 30, "and is in the mailbox")


def test_an_address_that_comes_later(machine):
    """nginx is to listen at an address that this machine does not have yet, as after a power cut."""
    machine.run("ip address add 10.9.8.7/32 dev lo; sed -i 's/^#LAN_LISTEN=.*/LAN_LISTEN=10.9.8.7,127.0.0.1/' /etc/faxline/faxline.conf; systemctl restart faxline.target")
    machine.until(lambda: "10.9.8.7:443" in machine.run("ss -ltn"), 20, "nginx listens there")
    machine.reboot()
    assert "10.9.8.7" not in machine.run("ip address; ss -ltn")
    machine.run("ip address add 10.9.8.7/32 dev lo")
    machine.until(lambda: "10.9.8.7:443" in machine.run("ss -ltn"), 30, "nginx is started again, and listens there")
    machine.run("sed -i 's/^LAN_LISTEN=.*/#LAN_LISTEN=/' /etc/faxline/faxline.conf; systemctl restart faxline.target")
    machine.until(lambda: "0.0.0.0:443" in machine.run("ss -ltn") and is_up(machine), 30, "it is as it was")


def test_a_server_with_a_public_address(machine):
    """443 and 80 are the provider's and the authority's at that address, which has another site at 80, too."""
    machine.run("ip address add 10.9.8.7/32 dev lo; cp /etc/faxline/faxline.conf /root/before")
    for name, value in (("PUBLIC_PORT", "443"), ("ACME_PORT", "80"), ("PUBLIC_LISTEN", "10.9.8.7"), ("LAN_PORT", "8443"), ("LAN_LISTEN", "127.0.0.1")):
        machine.run(f"sed -i 's/^#{name}=.*/{name}={value}/' /etc/faxline/faxline.conf")
    machine.run("systemctl restart faxline.target; install -D -m 644 /dev/stdin /var/lib/faxline/acme/.well-known/acme-challenge/probe", given="proof")
    ask = "import ssl, sys, urllib.error, urllib.request as u\ntry: print(u.urlopen(u.Request(sys.argv[1], headers={'Host': sys.argv[2]}), context=ssl._create_unverified_context()).read())\nexcept urllib.error.HTTPError as e: print(e.code)"
    get = lambda url, host="fax.example.org": machine.run(f"python3 -c {quoted(ask)} {url} {host}", check=False)  # noqa: E731
    machine.until(lambda: "ok" in get("https://127.0.0.1:8443/api/ping"), 20, "the page is at its address")
    assert "proof" in get("http://10.9.8.7/.well-known/acme-challenge/probe")
    assert "Welcome to nginx" in get("http://127.0.0.1/", "other.example.org")
    assert get("https://10.9.8.7/").strip() == "404"
    wait_until_up(machine)
    is_over(machine, send(machine))
    machine.run("cp /root/before /etc/faxline/faxline.conf; rm -r /var/lib/faxline/acme/.well-known; systemctl restart faxline.target")
    wait_until_up(machine)


def test_the_mailbox_again(machine):
    """Asked again, it is a new password; whatever would be no mailbox of its own is refused."""
    for name in ("faxline", "root", "Anna", "-x"):
        assert "faxline mailbox add" in machine.run(f"echo x | faxline mailbox add {name}", check=False)
    assert "root" in machine.as_person("echo x | faxline mailbox add other || faxline config check", check=False)
    assert "put sudo in front" in machine.as_person("faxline config check", check=False)
    machine.run("chmod g+w /home/myfaxuser/Maildir")
    assert "nobody else can write to" in machine.run(f"echo x | faxline mailbox add {NAME}", check=False)
    assert "chmod go-w" in machine.run("systemctl restart faxline.target; systemctl status faxline", check=False)
    machine.run("chmod go-w /home/myfaxuser/Maildir")
    machine.run(f"faxline mailbox add {NAME}", given="another word\n")
    wait_until_up(machine)
    talk = ["user myfaxuser", "pass another word", "STAT", "quit"]
    assert converse(machine, "openssl s_client -connect localhost:995 -quiet", talk)[2].startswith("+OK")


def test_no_program_starts_where_a_restore_was_cut_off(machine):
    """From inside each room it can be seen that one was."""
    machine.run("systemctl stop faxline.target; mkdir /var/lib/faxline/restore.new; systemctl start faxline.target")
    for program in PROGRAMS:
        machine.until(lambda program=program: "repeat `faxline restore`" in machine.run(f"journalctl -b -n 20 -u faxline-{program} --no-pager"), 10, f"{program} says why it does not start")
    machine.run("rmdir /var/lib/faxline/restore.new")
    wait_until_up(machine)


def test_wrong_settings_stop_the_line_and_nothing_else(machine):
    machine.run("echo RETRY_LIMITS=3 >>/etc/faxline/faxline.conf")
    assert "did you mean RETRY_LIMIT?" in machine.run("faxline config check", check=False)
    assert "failed" in machine.run("systemctl restart faxline.target", check=False)
    assert "did you mean RETRY_LIMIT?" in machine.run("systemctl status faxline", check=False)
    assert machine.run("systemctl is-active nginx").strip() == "active"
    machine.run("sed -i /RETRY_LIMITS/d /etc/faxline/faxline.conf; systemctl restart faxline.target")
    wait_until_up(machine, 20)


def test_nginx_refuses_our_site_and_the_others_go_on(machine):
    """Another site already has what ours would take: ours stays as it was."""
    machine.run("printf 'upstream faxline_send { server 127.0.0.1:9; }\\n' >/etc/nginx/conf.d/other.conf; sed -i 's/^#MAX_FAX_BYTES=.*/MAX_FAX_BYTES=1000000/' /etc/faxline/faxline.conf")
    assert "failed" in machine.run("systemctl restart faxline.target", check=False)
    assert "nginx refuses the site of Faxline" in machine.run("systemctl status faxline", check=False)
    assert "1000000" not in machine.run("cat /etc/nginx/faxline/lan.conf") and machine.run("ls -d /etc/nginx/faxline.*", check=False).count("/etc/nginx/faxline.new\n") == 0
    assert machine.run("systemctl is-active nginx").strip() == "active"
    machine.run("rm /etc/nginx/conf.d/other.conf; sed -i 's/^MAX_FAX_BYTES=.*/#MAX_FAX_BYTES=/' /etc/faxline/faxline.conf; systemctl restart faxline.target")
    wait_until_up(machine, 20)


def test_other_sites_and_programs_lose_nothing(machine):
    """A shop has 80 and 443 already, and somebody else a port that ours would take."""
    machine.run("ip address add 10.9.8.7/32 dev lo || true; cp /etc/faxline/faxline.conf /root/before")
    shop = "server { listen 80; listen 443 ssl; server_name shop.example.org; ssl_certificate /etc/faxline/tls/practice/fullchain.pem; ssl_certificate_key /etc/faxline/tls/practice/privkey.pem; return 200 shop; }"
    machine.run("cat >/etc/nginx/sites-enabled/shop; systemctl reload nginx", given=shop)
    get = lambda host, address="127.0.0.1": machine.run(f"printf 'GET / HTTP/1.0\\r\\nHost: {host}\\r\\n\\r\\n' | openssl s_client -quiet -connect {address}:443 -servername {host} 2>/dev/null", check=False).rsplit("\n", 1)[-1]  # noqa: E731
    machine.until(lambda: get("shop.example.org") == "shop", 20, "the shop is there")
    assert get("unknown.example.org") == "shop", "who asks for nobody in particular gets the site that was there first"
    assert get("fax.example.org") != "shop"
    for name, value in (("PUBLIC_PORT", "443"), ("PUBLIC_LISTEN", "10.9.8.7"), ("LAN_PORT", "8443")):
        machine.run(f"sed -i 's/^#{name}=.*/{name}={value}/' /etc/faxline/faxline.conf")
    assert "failed" in machine.run("systemctl restart faxline.target", check=False)
    assert "would take that address away" in machine.run("journalctl -b -u faxline -n 5 --no-pager")
    assert get("shop.example.org", "10.9.8.7") == "shop"
    machine.run("cp /root/before /etc/faxline/faxline.conf; sed -i 's/^#LAN_PORT=.*/LAN_PORT=3999/' /etc/faxline/faxline.conf; systemd-run -q --unit squatter python3 -m http.server 3999")
    machine.until(lambda: ":3999" in machine.run("ss -ltn"), 20, "somebody has the port")
    assert "failed" in machine.run("systemctl restart faxline.target", check=False)
    assert "Port 3999 is taken by python3" in machine.run("journalctl -b -u faxline -n 5 --no-pager")
    machine.run("systemctl stop squatter; rm /etc/nginx/sites-enabled/shop; cp /root/before /etc/faxline/faxline.conf; systemctl restart faxline.target")
    wait_until_up(machine)


def test_installed_again_and_taken_away(machine):
    """Settings and data stay, both times; other sites are served all the while."""
    kept = "cat /etc/faxline/faxline.conf; openssl x509 -in /etc/faxline/tls/current/fullchain.pem -noout -serial"
    # Each fax that was sent comes in again, and one came from outside.
    machine.until(lambda: list(faxes(machine).values()).count("received") == list(faxes(machine).values()).count("delivered") + 1, 30, "nothing is under way")
    before, known = machine.run(kept), faxes(machine)
    machine.as_person("cd faxline && sudo make install")
    wait_until_up(machine, 20)
    assert (machine.run(kept), faxes(machine)) == (before, known)
    machine.as_person("cd faxline && sudo make uninstall")
    left = machine.run("find / -xdev \\( -path /home -o -path /proc -o -path /srv -o -path /root \\) -prune -o -iname '*faxline*' -print").split()
    roots = ("/etc/faxline", "/var/lib/faxline", "/var/log/faxline", "/run/", "/tmp/", "/var/log/journal")
    assert [path for path in left if not path.startswith(roots)] == []
    assert machine.run(kept) == before
    assert machine.run("pgrep -u faxline,faxline-web,faxline-in,faxline-auth,faxline-sandbox -l", check=False) == ""
    assert machine.run("systemctl is-active nginx").strip() == "active" and ":443" not in machine.run("ss -ltn")
    machine.reboot()
    assert machine.run("systemctl --failed --plain --no-legend") == ""
    machine.as_person("cd faxline && sudo make install")
    wait_until_up(machine, 30)
    assert faxes(machine) == known
