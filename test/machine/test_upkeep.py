"""What an owner does with a line that works: gives the mail user a password, reads at port 110, restores a backup, has the logs
rotated. In the order of this file, on one machine."""
import pytest

from installed import NAME, PASSWORD, converse, install, is_over, mails, send, wait_until_up
from machine import booted

LOG = "/var/log/faxline/access.log"
# test/support/packages leaves them disabled, Debian's packages alone do not.
POP3 = "courier-authdaemon courier-pop courier-pop-ssl"

# No password before TLS; after it the number of mails.
BY_STARTTLS = r"""
import poplib, ssl, sys
talk = poplib.POP3("localhost", 110, timeout=20)
try:
    talk.user(sys.argv[1])
    talk.pass_(sys.argv[2])
except poplib.error_proto:
    print("refused")
talk.close()
talk = poplib.POP3("localhost", 110, timeout=20)
talk.stls(ssl._create_unverified_context())
talk.user(sys.argv[1])
talk.pass_(sys.argv[2])
print(talk.stat()[0])
"""


@pytest.fixture(scope="module")
def machine():
    with booted() as one:
        one.run(f"systemctl disable --now --quiet {POP3}")
        install(one)
        wait_until_up(one)
        yield one


def test_mails_are_read_at_port_110_with_starttls(machine):
    is_over(machine, send(machine))
    machine.until(lambda: mails(machine) >= 1, 60, "the fax is in the mailbox")
    assert machine.run(f"systemctl is-enabled {POP3}").split() == ["enabled"] * 3
    found = machine.run(f"python3 - {NAME} {PASSWORD}", given=BY_STARTTLS).split()
    assert found[0] == "refused" and int(found[1]) >= 1
    talk = [f"user {NAME}", f"pass {PASSWORD}", "STAT", "quit"]
    assert converse(machine, "openssl s_client -connect localhost:995 -quiet", talk)[2].startswith("+OK")


@pytest.mark.parametrize("name, why", [("anna", "can log in"), ("www-data", "a service"), ("root", "of its own"), ("faxline-web", "of its own"), ("faxline-new", "of its own"), ("squatted", "is there already")])
def test_nobody_elses_password_is_changed(machine, name, why):
    machine.run("usermod -p before anna; mkdir -p /home/squatted")
    before = machine.run("cat /etc/passwd /etc/shadow /etc/faxline/faxline.conf")
    said = machine.run(f"echo x | faxline mailbox add {name}; echo $?", check=False)
    assert why in said and "choose another name" in said and "65\n" in said
    assert machine.run("cat /etc/passwd /etc/shadow /etc/faxline/faxline.conf") == before


def test_a_mailbox_that_is_refused_keeps_its_password(machine):
    machine.run(f"chmod g+w /home/{NAME}/Maildir")
    before = machine.run("cat /etc/shadow")
    assert "nobody else can write to" in machine.run(f"echo x | faxline mailbox add {NAME}", check=False)
    assert machine.run("cat /etc/shadow") == before
    machine.run(f"chmod g-w /home/{NAME}/Maildir; echo {PASSWORD} | faxline mailbox add {NAME}")
    wait_until_up(machine)


def test_a_restored_line_sends_again(machine):
    folders = "stat -c '%n %U:%G %a' /var/lib/faxline/* /var/lib/faxline/spool/tmp"
    before = machine.run(folders)
    machine.run("faxline backup /root/backup; systemctl stop faxline.target 'faxline-*'; faxline restore /root/backup --replace")
    assert [line for line in machine.run(folders).splitlines() if "before-restore" not in line] == before.splitlines()
    machine.run("systemctl start faxline.target")
    wait_until_up(machine)
    is_over(machine, send(machine))


def test_a_program_makes_the_folder_that_is_missing(machine):
    """As one that was restored by hand: no unit may ask for the set-group-id bit."""
    machine.run("systemctl stop faxline.target 'faxline-*'; rm -r /var/lib/faxline/spool/tmp; systemctl start faxline.target")
    wait_until_up(machine)
    is_over(machine, send(machine))
    assert machine.run("stat -c '%U:%G %a' /var/lib/faxline/spool/tmp").strip() in ("faxline:faxline 2770", "faxline-web:faxline 2770", "faxline-in:faxline 2770")


def test_rotated_logs_are_written_on(machine):
    ask = "python3 -c 'import ssl, urllib.request as u; u.urlopen(\"https://localhost/api/ping\", context=ssl._create_unverified_context())'"
    machine.run(f"{ask}; test -s {LOG}; logrotate -f /etc/logrotate.d/faxline")

    def is_written():
        machine.run(ask)
        return machine.run(f"cat {LOG}")

    machine.until(is_written, 10, "the new log is written to")
    assert "Permission denied" not in machine.run("cat /var/log/nginx/error.log /var/log/faxline/error.log", check=False)
    assert machine.run(f"stat -c %a {LOG} /var/log/faxline").split() == ["640", "751"]
