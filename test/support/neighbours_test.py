"""What nginx says of its sites, read for who would lose an address to ours."""
import importlib.util
import os
import socket

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SPEC = importlib.util.spec_from_file_location("neighbours", f"{ROOT}/systemd/neighbours.py")
neighbours = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(neighbours)

DUMP = """nginx: configuration file /etc/nginx/nginx.conf test is successful
# configuration file /etc/nginx/nginx.conf:
events {} http { include sites-enabled/*; }
# configuration file /etc/nginx/sites-enabled/default:
server { listen 80 default_server; listen [::]:80 default_server; server_name _; }
# configuration file /etc/nginx/sites-enabled/shop:
server {
  listen 443 ssl;  # listen 9;
  listen [::]:8443 ssl ipv6only=on; listen 192.168.1.5:8080;
  listen unix:/run/shop.sock;
  server_name shop.example.org
    www.shop.example.org;
}
# configuration file /etc/nginx/faxline/lan.conf:
server { listen 3297; server_name fax.example.org; }
"""


@pytest.mark.parametrize("words, place", [
    ("443 ssl", ("*", 443)), ("*:80", ("*", 80)), ("0.0.0.0:80", ("*", 80)), ("[::]:80 ipv6only=on", ("[::]", 80)), ("192.168.1.5", ("192.168.1.5", 80)),
    ("[fd00::1]:443", ("[fd00::1]", 443)), ("[fd00::1]", ("[fd00::1]", 80)), ("fax.example.org:81", ("fax.example.org", 81)), ("unix:/run/x.sock", None),
])  # fmt: skip
def test_a_listen_directive_is_an_address_and_a_port(words, place):
    assert neighbours.place(words) == place


def test_a_site_with_a_name_at_every_address_would_lose_one():
    shop = "/etc/nginx/sites-enabled/shop"
    assert neighbours.robbed(("10.9.8.7", 443), DUMP) == shop
    assert neighbours.robbed(("[fd00::1]", 8443), DUMP) == shop
    # Both have the port, and are told apart by their names; another family; nobody's; a site without a name; ourselves.
    for ours in (("*", 443), ("[::]", 8443), ("10.9.8.7", 8443), ("[fd00::1]", 443), ("10.9.8.7", 8080), ("10.9.8.7", 80), ("10.9.8.7", 3297)):
        assert neighbours.robbed(ours, DUMP) is None, ours
    assert neighbours.robbed(("10.9.8.7", 443), "") is None


def test_a_port_that_somebody_has_is_seen():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen(1)
        port = other.getsockname()[1]
        assert neighbours.holder(("127.0.0.1", port), DUMP)
        assert neighbours.holder(("*", port), DUMP)
        # nginx's own, as far as its other sites say.
        assert neighbours.holder(("127.0.0.1", port), f"# configuration file /etc/nginx/sites-enabled/x:\nserver {{ listen {port}; }}\n") is None
    assert neighbours.holder(("127.0.0.1", port), DUMP) is None
    assert neighbours.holder(("192.0.2.1", 1), DUMP) is None, "an address that is not here"
