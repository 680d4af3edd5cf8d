"""A certificate authority (pebble) on a machine of the tests, which trusts it."""
import json

DIRECTORY = "https://localhost:14000/dir"

# A certificate authority for tests asks us at ACME_PORT, as the real one does through the router.
PEBBLE = {"pebble": {"listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000", "certificate": "/root/ca/api.pem", "privateKey": "/root/ca/api.key", "httpPort": 3298, "tlsPort": 14001, "ocspResponderURL": "", "externalAccountBindingRequired": False, "certificateValidityPeriod": 90 * 86400}}


def certificate_authority(machine, host):
    """It runs, and HOST leads here."""
    machine.run(f"sed -i '1s/$/ {host}/' /etc/hosts")
    machine.run("mkdir /root/ca && cd /root/ca && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout api.key -out api.pem -days 30 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>/dev/null")
    machine.run(f"cat >/root/ca/pebble.json <<'END'\n{json.dumps(PEBBLE)}\nEND")
    machine.run("systemd-run -q --unit pebble -E PEBBLE_VA_NOSLEEP=1 -E PEBBLE_WFE_NONCEREJECT=0 -E PEBBLE_AUTHZREUSE=0 pebble -config /root/ca/pebble.json")
    machine.run("cp /root/ca/api.pem /usr/local/share/ca-certificates/api.crt && update-ca-certificates >/dev/null 2>&1")
    ask = "python3 -c 'import urllib.request as u; print(u.urlopen(\"https://localhost:15000/roots/0\").read().decode())'"
    root = machine.until(lambda: (lambda text: text if "BEGIN CERT" in text else None)(machine.run(ask, check=False)), 20, "pebble answers")
    machine.run("cat >/usr/local/share/ca-certificates/pebble.crt && update-ca-certificates >/dev/null 2>&1", given=root)
