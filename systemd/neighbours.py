"""The other sites of this machine's nginx, and the other programs: none of them loses an address to Faxline."""
import errno
import re
import socket
import subprocess

EVERYWHERE = {"*": "*", "0.0.0.0": "*", "[::]": "[::]"}
OURS = "/etc/nginx/faxline/"


def place(listen):
    """(address, port) of the words of a `listen` directive; "*" and "[::]" are all addresses. Nothing for a socket of this machine."""
    word = listen.split()[0]
    if word.startswith("unix:"):
        return None
    address, _, port = word.rpartition(":") if re.search(r":\d+$", word) and not word.endswith("]") else ("*", "", word) if word.isdigit() else (word, "", "80")
    return EVERYWHERE.get(address or "*", address), int(port)


def others(dump):
    """file -> (places, names), of what `nginx -T` says of sites that are not ours. One that answers to no name is left out:
    it is what remains for what nobody else wants."""
    found = {}
    for part in dump.split("# configuration file ")[1:]:
        path, _, text = part.partition(":\n")
        text = re.sub(r"#.*", "", text)
        names = {name for words in re.findall(r"\bserver_name\s+([^;]+);", text) for name in words.split()} - {"_"}
        places = {place(words) for words in re.findall(r"\blisten\s+([^;]+);", text)} - {None}
        if places and not path.startswith(OURS):
            found[path] = places, names
    return found


def robbed(ours, dump):
    """The file of a site that would lose `ours`, an (address, port), since it listens at all addresses of that port: nginx
    looks at the address before it looks at names. Else nothing."""
    address, port = ours
    if address in ("*", "[::]"):
        return None
    everywhere = "[::]" if address.startswith("[") else "*"
    return next((path for path, (places, names) in others(dump).items() if names and (everywhere, port) in places), None)


def holder(ours, dump):
    """Who has the port that ours would be, if that is not nginx: a name, or "another program". Else nothing."""
    address, port = ours
    if any(port == known for places, _ in others(dump).values() for _, known in places):
        return None
    bare = {"*": "0.0.0.0"}.get(address, address).strip("[]")
    with socket.socket(socket.AF_INET6 if ":" in bare else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if ":" in bare:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            probe.bind((bare, port))
            probe.listen(1)
            return None
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return None  # an address that is not there yet, a family that this machine has not
    try:
        said = subprocess.run(["ss", "-Hltnp", f"sport = :{port}"], capture_output=True, text=True, check=False).stdout
    except OSError:
        said = ""
    name = re.search(r'\(\("([^"]+)"', said)
    return None if name and name[1] == "nginx" else name[1] if name else "another program"
