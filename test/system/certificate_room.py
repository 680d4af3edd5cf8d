"""A room of its own for the certificate's life: a network, processes and an /etc that are nobody else's, in it what
`make install` puts down, with real nginx, couriertls, certbot and certificate authority (pebble). For root."""
import json
import os
import shutil
import subprocess
import tempfile

from line import BUILD, ROOT, wait_until

HOST = "fax.example.org"
PREFIX = "/opt/faxline"  # nothing can be put into /usr, which is the machine's
TLS = "/etc/faxline/tls"
HOOKS = f"{PREFIX}/lib/faxline/certbot-hooks"
DEPLOY = "/etc/letsencrypt/renewal-hooks/deploy/faxline"
PEBBLE = {
    "listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000", "certificate": "/room/api.pem", "privateKey": "/room/api.key",
    "httpPort": 3298, "tlsPort": 14001, "ocspResponderURL": "", "externalAccountBindingRequired": False, "certificateValidityPeriod": 90 * 86400,
}  # fmt: skip
# No systemd runs here; this does the little that the hook asks of it.
SYSTEMCTL = """#!/bin/sh
case "$*" in
  "is-active --quiet nginx") [ -e /room/nginx.pid ] ;;
  "reload nginx") kill -HUP "$(cat /room/nginx.pid)" ;;
  *) echo "systemctl $*: not in this room" >&2; exit 64 ;;
esac
"""


class Cannot(Exception):
    """Why there can be no such room here."""


def need():
    if os.getuid() != 0:
        raise Cannot("only root can make a room of its own for certbot and nginx")
    for program in ("bwrap", "nsenter", "nginx", "certbot", "pebble", "couriertls"):
        if shutil.which(program) is None:
            raise Cannot(f"{program} is missing: test/support/packages run test")


class Room:
    """Closed at the end with all that runs in it."""

    def __init__(self):
        need()
        self.folder = tempfile.mkdtemp(prefix="faxline-room-")
        os.chmod(self.folder, 0o755)
        self.children = []
        try:
            self.furnish()
            self.open()
        except BaseException:
            self.close()
            raise

    def write(self, path, text, mode=0o644):
        os.makedirs(os.path.dirname(f"{self.folder}/{path}"), exist_ok=True)
        with open(f"{self.folder}/{path}", "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)

    def furnish(self):
        built = os.path.realpath(os.path.join(ROOT, BUILD))
        make = ["make", "--no-print-directory", "-C", ROOT, "-o", "all", "-o", "packages", "install", f"BUILD={built}", f"DESTDIR={self.folder}/installed", f"PREFIX={PREFIX}"]
        subprocess.run(make, check=True, capture_output=True)
        subprocess.run(["sed", "-i", "/^PUBLIC_HOSTNAME=/d", f"{self.folder}/installed/etc/faxline/faxline.conf"], check=True)
        for name in ("room/log", "room/socket", "room/state/acme", "room/state/handout", "ssl/certs", "letsencrypt-state"):
            os.makedirs(f"{self.folder}/{name}")
        api = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{self.folder}/room/api.key", "-out", f"{self.folder}/room/api.pem"]
        subprocess.run([*api, "-days", "30", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
        shutil.copy(f"{self.folder}/room/api.pem", f"{self.folder}/ssl/certs/ca-certificates.crt")
        shutil.copy("/etc/ssl/openssl.cnf", f"{self.folder}/ssl/openssl.cnf")
        self.write("room/pebble.json", json.dumps({"pebble": PEBBLE}))
        self.write("systemctl", SYSTEMCTL, 0o755)
        self.write("etc/hosts", f"127.0.0.1 localhost {HOST}\n")
        self.write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\ncourier:x:900:900::/:/bin/false\n")
        self.write("etc/group", "root:x:0:\nnogroup:x:65534:\ncourier:x:900:\n")
        self.write("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n")
        with open(f"{self.folder}/installed/etc/faxline/faxline.conf", "a", encoding="utf-8") as file:
            file.write(f"PUBLIC_HOSTNAME={HOST}\nSTATE_DIR=/room/state\nSOCKET_DIR=/room/socket\nACME_SERVER=https://localhost:14000/dir\n")
        self.render()

    def render(self):
        values = {"LAN_PORT": 443, "PUBLIC_PORT": 3297, "ACME_PORT": 3298, "LAN_LISTEN": "127.0.0.1", "PUBLIC_LISTEN": "127.0.0.1", "FAX_PROVIDER": "twilio", "SOCKET_DIR": "/room/socket", "STATE_DIR": "/room/state"}
        values |= {"HTML_DIR": f"{PREFIX}/share/faxline/html", "LOG_DIR": "/room/log", "RUN_TEMPORARY": "/room", "CONF_DIR": "/room/nginx", "CERTIFICATE_HEADERS": f"{TLS}/current/headers*.conf"}
        values |= {f"{name}_CERTIFICATE": f"{TLS}/current/fullchain.pem" for name in ("LAN", "PUBLIC")} | {f"{name}_KEY": f"{TLS}/current/privkey.pem" for name in ("LAN", "PUBLIC")}
        subprocess.run([f"{ROOT}/nginx/render", f"{self.folder}/room/nginx", *(f"{name}={value}" for name, value in values.items())], check=True)

    def open(self):
        inside = f"{self.folder}/installed"
        words = ["bwrap", "--die-with-parent", "--unshare-net", "--unshare-pid", "--unshare-ipc", "--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev"]
        for name in ("bin", "sbin", "lib", "lib64"):
            words += ["--symlink", f"usr/{name}", f"/{name}"]
        for name in ("/tmp", "/run", "/var", "/root", "/etc"):
            words += ["--tmpfs", name]
        words += ["--ro-bind", f"{self.folder}/systemctl", "/usr/bin/systemctl", "--bind", f"{inside}/opt", "/opt", "--bind", f"{self.folder}/room", "/room", "--ro-bind", f"{self.folder}/ssl", "/etc/ssl"]
        words += ["--dir", "/var/log/letsencrypt", "--bind", f"{self.folder}/letsencrypt-state", "/var/lib/letsencrypt", "--ro-bind", "/etc/nginx/mime.types", "/etc/nginx/mime.types"]
        words += ["--symlink", "/room/nginx/nginx.conf", "/etc/nginx/nginx.conf"]
        for name in ("faxline", "letsencrypt"):
            words += ["--bind", f"{inside}/etc/{name}", f"/etc/{name}"]
        for name in ("hosts", "passwd", "group", "nsswitch.conf"):
            words += ["--ro-bind", f"{self.folder}/etc/{name}", f"/etc/{name}"]
        words += ["--ro-bind-try", "/etc/alternatives", "/etc/alternatives"]
        told, tell = os.pipe()
        keeper = subprocess.Popen([*words, "--info-fd", str(tell), "sh", "-c", "touch /room/open; exec sleep infinity"], pass_fds=(tell,), stderr=subprocess.PIPE, text=True)  # pylint: disable=consider-using-with
        self.children.append(keeper)
        os.close(tell)
        with os.fdopen(told, encoding="ascii") as file:
            said = "".join(iter(file.readline, ""))
        wait_until(lambda: os.path.exists(f"{self.folder}/room/open") or keeper.poll() is not None)
        if keeper.poll() is not None:
            raise Cannot(f"bubblewrap makes no room here: {keeper.communicate(timeout=10)[1].strip()}")
        self.inside = json.loads(said)["child-pid"]

    def words(self, *words, **environment):
        """The command line that runs these words inside."""
        more = [f"{name}={value}" for name, value in environment.items()]
        return ["nsenter", "-t", str(self.inside), "-m", "-n", "-p", "-i", "env", "-i", "-C", "/", "PATH=/usr/sbin:/usr/bin", "LANG=C.UTF-8", "HOME=/root", *more, *words]

    def run(self, text, check=True, seconds=120, given=None, **environment):
        """What a shell inside says; both streams where it may fail."""
        done = subprocess.run(self.words("/bin/sh", "-c", text, **environment), input=given, capture_output=True, text=True, timeout=seconds, check=False)
        assert not check or done.returncode == 0, f"{text!r} ended with {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout if check else done.stdout + done.stderr

    def spawn(self, *words, **environment):
        with open(f"{self.folder}/room/log/{os.path.basename(words[0])}", "ab") as log:
            child = subprocess.Popen(self.words(*words, **environment), stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # pylint: disable=consider-using-with
        self.children.append(child)
        return child

    def close(self):
        # bubblewrap first: with its first process everything inside ends.
        for child in self.children:
            child.kill()
        for child in self.children:
            child.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- who lives there ---
    def start_nginx(self):
        self.nginx = self.spawn("nginx")
        wait_until(lambda: os.path.exists(f"{self.folder}/room/nginx.pid") and "?" not in self.serials())

    def stop_nginx(self):
        # nsenter waits for it, and has the signals for itself.
        self.run("kill -QUIT $(cat /room/nginx.pid)")
        self.nginx.wait(20)
        self.children.remove(self.nginx)

    def start_pop3(self, certificate=f"{TLS}/current/combined.pem"):
        """courier's TLS as it is installed, with a greeting behind it in place of a mailbox."""
        tcpd = ["/usr/sbin/couriertcpd", "-address=127.0.0.1", "-maxprocs=40", "-maxperip=40", "-nodnslookup", "-noidentlookup", "-pid=/room/pop3.pid", "995"]
        tls = ["/usr/bin/couriertls", "-server", "-tcpd", "/bin/echo", "+OK this is POP3"]
        self.pop3 = self.spawn(*tcpd, *tls, TLS_CERTFILE=certificate, TLS_PROTOCOL="TLSv1.2+", TLS_VERIFYPEER="NONE", TLS_TRUSTCERTS="", TLS_CACHEFILE="")
        wait_until(lambda: "?" not in self.serials(("pop3",)))

    def stop_pop3(self):
        self.run("kill $(cat /room/pop3.pid)")
        self.pop3.wait(20)
        self.children.remove(self.pop3)

    def start_authority(self):
        self.spawn("pebble", "-config", "/room/pebble.json", PEBBLE_VA_NOSLEEP=1, PEBBLE_WFE_NONCEREJECT=0, PEBBLE_AUTHZREUSE=0)
        ask = "python3 -c 'import urllib.request as u; print(u.urlopen(\"https://localhost:15000/roots/0\").read().decode())'"
        wait_until(lambda: "BEGIN CERT" in self.run(ask, check=False))
        self.write("room/root.pem", self.run(ask))

    # --- what is to be seen ---
    def shown(self):
        return {it["listener"]: it for it in json.loads(self.run(f"{PREFIX}/bin/faxline certificate show --json 2>/dev/null || true"))}

    def serials(self, names=("lan", "public")):
        return {it.get("serial", "?") for name, it in self.shown().items() if name in names}

    def deploy(self, lineage, domains=HOST, **environment):
        """As certbot calls it; its exit status, and what it said."""
        done = subprocess.run(self.words(DEPLOY, RENEWED_LINEAGE=f"/room/lineage/{lineage}", RENEWED_DOMAINS=domains, **environment), capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout + done.stderr
