"""An installed line, and what its owner does with it: installs it, sends, looks, reads the mails."""
import re
import subprocess

from machine import Failed, quoted

NAME, PASSWORD = "myfaxuser", "ABCD1234"
OWN_NUMBER = "+15005550006"

LETTER = r'''
objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>", b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]>>"]
out, places = b"%PDF-1.4\n", []
for number, text in enumerate(objects, 1):
    places.append(len(out))
    out += b"%d 0 obj\n" % number + text + b"\nendobj\n"
end = len(out)
out += b"xref\n0 4\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places) + b"trailer<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % end
open("letter.pdf", "wb").write(out)
'''


def install(machine):
    """The programs that were built here, on the machine, with a mailbox and a letter to send. Nothing is compiled again."""
    machine.as_person("git clone -q /srv/faxline.git faxline && cp -a /srv/build faxline/build && cd faxline && find . -path ./build -prune -o -exec touch -d 2020-01-01 {} + && sudo make install", seconds=300)
    machine.run(f"faxline mailbox add {NAME}", given=PASSWORD + "\n")
    machine.as_person(f"python3 -c {quoted(LETTER)}")


def faxes(machine):
    """id -> state, of all that the line knows."""
    lines = machine.run("faxline list").splitlines()
    return {line.split("\t")[0]: line.split("\t")[3] for line in lines}


def mails(machine):
    return int(machine.run(f"ls /home/{NAME}/Maildir/new /home/{NAME}/Maildir/cur | grep -c '[.]' || true") or 0)


def is_up(machine):
    found = machine.run("faxline doctor", check=False)
    return not re.search(r"^wrong\t", found, re.M) and "ok\tprograms" in found


def wait_until_up(machine, seconds=30):
    """Every program answers, and the queue works; without anybody's doing."""
    try:
        machine.until(lambda: is_up(machine), seconds, "the line is up")
    except Failed as failed:
        raise Failed(f"{failed}\n{machine.run('faxline doctor; systemctl --failed; journalctl -b -n 60 --no-pager', check=False)[-8000:]}") from None


def send(machine, number=OWN_NUMBER):
    return machine.run(f"faxline send /home/anna/letter.pdf {number}").split()[0]


def is_over(machine, fax, state="delivered", seconds=60):
    try:
        machine.until(lambda: faxes(machine).get(fax) == state, seconds, f"fax {fax} is {state}")
    except Failed as failed:
        raise Failed(f"{failed}\n{machine.run(f'faxline show {fax}; journalctl -b -n 40 --no-pager -u faxline*', check=False)[-8000:]}") from None


def converse(machine, command, steps):
    """Types each line when the answer to the one before is there; gives the answers."""
    words = ["nsenter", "-t", str(machine.init), "-m", "-u", "-i", "-n", "-p", "-C", "--root", "env", "-i", "-C", "/", "PATH=/usr/bin:/bin", *command.split()]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as talk:
        answers = []
        for step in steps:
            for line in talk.stdout:
                if line.startswith(("+OK", "-ERR")):
                    answers.append(line.strip())
                    break
            talk.stdin.write(step + "\n")
            talk.stdin.flush()
        answers += [line.strip() for line in talk.stdout if line.startswith(("+OK", "-ERR"))]
        return answers
