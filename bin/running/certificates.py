"""A certificate authority for this folder alone, and the certificate of all its listeners."""
import ipaddress
import os
import subprocess
import tempfile

from running.settings import Stop

SOON = 14 * 86400


def openssl(*words):
    done = subprocess.run(["openssl", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Stop(69, f"the certificate could not be made: openssl {words[0]} says: {done.stderr.strip()[-300:]}")
    return done.stdout


def lasts(path):
    return os.path.exists(path) and subprocess.run(["openssl", "x509", "-in", path, "-noout", "-checkend", str(SOON)], capture_output=True, check=False).returncode == 0


def new_key(path):
    if os.path.lexists(path):
        os.remove(path)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)


def names(hostname):
    found = ["DNS:localhost", "IP:127.0.0.1", "IP:::1"]
    try:
        extra = f"IP:{ipaddress.ip_address(hostname.strip('[]'))}"
    except ValueError:
        extra = f"DNS:{hostname}"
    return ",".join(found + ([extra] if extra not in found else []))


def make_authority(folder):
    new_key(f"{folder}/ca.key")
    openssl("req", "-x509", "-new", "-key", f"{folder}/ca.key", "-out", f"{folder}/ca.pem", "-days", "3650", "-subj", "/CN=Faxline on this machine", "-addext", "keyUsage=critical,keyCertSign,cRLSign")


def make_certificate(folder, wanted):
    new_key(f"{folder}/server.key")
    with tempfile.TemporaryDirectory() as temporary:
        openssl("req", "-new", "-key", f"{folder}/server.key", "-subj", "/CN=localhost", "-out", f"{temporary}/request")
        with open(f"{temporary}/extensions", "w", encoding="ascii") as file:
            file.write(f"subjectAltName={wanted}\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n")
            file.write("extendedKeyUsage=serverAuth\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
        openssl("x509", "-req", "-in", f"{temporary}/request", "-CA", f"{folder}/ca.pem", "-CAkey", f"{folder}/ca.key", "-set_serial", "0x" + os.urandom(16).hex(), "-days", "800", "-extfile", f"{temporary}/extensions", "-out", f"{temporary}/leaf")
        with open(f"{temporary}/leaf", encoding="ascii") as leaf, open(f"{folder}/ca.pem", encoding="ascii") as authority:
            chain = leaf.read() + authority.read()
    with open(f"{folder}/server.pem", "w", encoding="ascii") as file:
        file.write(chain)
    with open(f"{folder}/names", "w", encoding="ascii") as file:
        file.write(wanted + "\n")


def prepare(folder, hostname):
    """Leaves ca.pem, server.pem (chain) and server.key in FOLDER: the old ones while they are good for HOSTNAME."""
    os.makedirs(folder, mode=0o755, exist_ok=True)
    wanted = names(hostname)
    if not lasts(f"{folder}/ca.pem") or not os.path.exists(f"{folder}/ca.key"):
        make_authority(folder)
        made_for = None
    else:
        try:
            with open(f"{folder}/names", encoding="ascii") as file:
                made_for = file.read().strip()
        except OSError:
            made_for = None
    if made_for != wanted or not lasts(f"{folder}/server.pem") or not os.path.exists(f"{folder}/server.key"):
        make_certificate(folder, wanted)
