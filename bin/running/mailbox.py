"""The POP3 server: courier with a configuration of its own, in our mount namespace, for one virtual user."""
import os
import pwd
import subprocess

from running import house
from running.settings import Stop

LIBRARY = "/usr/lib/courier"
DAEMON = {
    "authmodulelist": "authuserdb",
    "authmodulelistorig": "authuserdb",
    "daemons": "2",
    "authdaemonvar": "/run/courier/authdaemon",
    "DEBUG_LOGIN": "0",
    "DEFAULTOPTIONS": "",
    "LOGGEROPTS": "",
}
# Courier's own names; its certificate file is key and chain in one.
SERVER = {
    "POP3_TLS": "1",
    "POP3_STARTTLS": "NO",
    "POP3_TLS_REQUIRED": "0",
    "POP3AUTH": "",
    "POP3AUTH_TLS": "LOGIN PLAIN",
    "POP3_PROXY": "0",
    "TLS_CERTFILE": "/etc/courier/pop3d.pem",
    "TLS_TRUSTCERTS": "",
    "TLS_VERIFYPEER": "NONE",
    "TLS_PRIORITY": "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1",
    "TLS_PROTOCOL": "TLSv1.2+",
    "TLS_CACHEFILE": "",
    "MAILDIRPATH": "Maildir",
    "COURIERTLS": "/usr/bin/couriertls",
}


def make(path, text, mode, uid=0, gid=0):
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)
    os.chown(path, uid, gid)
    os.chmod(path, mode)


def prepare(binding, account, tls, user, password, maildir):
    """Puts /etc/courier and /run/courier of our own over the machine's. For root of the namespace."""
    try:
        courier = pwd.getpwnam("courier")
    except KeyError:
        raise Stop(69, "the package courier-authdaemon is missing: apt-get install courier-pop courier-authdaemon") from None
    etc, run = f"{binding.place}/courier-etc", f"{binding.place}/courier-run"
    os.mkdir(etc, 0o755)
    os.mkdir(run, 0o755)
    os.mkdir(f"{run}/authdaemon", 0o750)
    for path in (run, f"{run}/authdaemon"):
        os.chown(path, courier.pw_uid, courier.pw_gid)
    for path, source in (("/etc/courier", etc), ("/run/courier", run)):
        house.ensure_folder(path, f"{binding.place}/copy{path.replace('/', '-')}")
        house.bind(source, path)
    make("/etc/courier/authdaemonrc", "".join(f'{name}="{value}"\n' for name, value in DAEMON.items()), 0o640, 0, courier.pw_gid)
    with open(f"{tls}/server.key", encoding="ascii") as key, open(f"{tls}/server.pem", encoding="ascii") as chain:
        make("/etc/courier/pop3d.pem", key.read() + chain.read(), 0o640, 0, courier.pw_gid)
    hashed = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=password + "\n", capture_output=True, text=True, check=True).stdout.strip()
    home = os.path.dirname(maildir)
    make("/etc/courier/userdb", f"{user}\tsystempw={hashed}|home={home}|mail={maildir}|uid={account.uid}|gid={account.gid}\n", 0o600)
    subprocess.run(["makeuserdb"], check=True)


def daemons(port):
    """name, argument vector, environment."""
    courier = f"{LIBRARY}/courier"
    tcpd = ["couriertcpd", "-address=127.0.0.1", "-maxprocs=40", "-maxperip=40", "-nodnslookup", "-noidentlookup", port]
    yield "courier-authdaemon", [f"{LIBRARY}/courier-authlib/authdaemond"], DAEMON
    yield "courier-pop", [*tcpd, "/usr/bin/couriertls", "-server", "-tcpd", f"{courier}/courierpop3login", f"{courier}/courierpop3d", "Maildir"], SERVER
