"""The settings of `make run`: RUN_DIR/faxline.conf, made once; the environment wins."""
import os
import re
import secrets
import socket

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
DEFAULTS = {
    "LAN_PORT": "8443",
    "PUBLIC_PORT": "3297",
    "ACME_PORT": "3298",
    "POP3_PORT": "9995",
    "PUBLIC_HOSTNAME": "localhost",
    "FAX_PROVIDER": "sandbox",
    "RUN_USER": "fax",
    "LAN_LISTEN": "localhost",
    "PUBLIC_LISTEN": "localhost",
    "MAX_FAX_BYTES": "52428800",
}
# Of `make run` alone: the programs have no use for them.
NOT_FOR_PROGRAMS = ("RUN_USER", "RUN_PASSWORD")


class Stop(Exception):
    """Ends the command: an exit status of sysexits and a sentence for the person."""

    def __init__(self, status, sentence):
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


def known_names():
    """The names of lib/config's table, which is the only list of them."""
    with open(f"{ROOT}/lib/config/table.cc", encoding="utf-8") as file:
        return re.findall(r'^\s*\{"([A-Z][A-Z0-9_]+)", Type::', file.read(), re.M)


def write(path, text, mode):
    """Whole or not at all, with its mode from the start."""
    temporary = f"{path}.new"
    if os.path.lexists(temporary):
        os.remove(temporary)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.rename(temporary, path)


def read_file(path):
    values = {}
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.strip().removeprefix("export ")
            if not line or line.startswith("#"):
                continue
            name, equals, value = line.partition("=")
            if not equals:
                raise Stop(78, f"line {number} of {path} is not KEY=value: correct it, or begin it with # if it is a note.")
            value = value.strip()
            if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
                value = value[1:-1]
            values[name.strip()] = value
    return values


def make_file(path):
    made = {"TWILIO_SID": "AC" + secrets.token_hex(16), "TWILIO_TOKEN": secrets.token_hex(16)}
    lines = ["# The settings of `make run`, made once. KEY=value; the environment wins. README.md says what there is.", "# Account and secret of the practice provider, made for this folder:"]
    lines += [f"{name}={value}" for name, value in made.items()]
    lines += ["# As they are when nothing is set:"]
    lines += [f"#{name}={DEFAULTS[name]}" for name in ("PUBLIC_HOSTNAME", "FAX_PROVIDER", "LAN_PORT", "PUBLIC_PORT", "ACME_PORT", "POP3_PORT")]
    write(path, "\n".join(lines) + "\n", 0o600)


def loopback_free(port):
    try:
        for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            with socket.socket(family) as one:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                one.bind((address, port))
    except OSError as error:
        return error.errno in (97, 99)  # no IPv6 here
    return True


def sandbox_port(run_dir):
    """A free loopback port, the same as last time if it can be: URLs of the practice provider are in the books."""
    path = f"{run_dir}/sandbox-port"
    try:
        with open(path, encoding="ascii") as file:
            port = int(file.read())
        if 1024 <= port < 65536 and loopback_free(port):
            return str(port)
    except (OSError, ValueError):
        pass
    while True:
        with socket.create_server(("127.0.0.1", 0)) as one:
            port = one.getsockname()[1]
        if loopback_free(port):
            break
    write(path, f"{port}\n", 0o644)
    return str(port)


class Settings:
    """What counts: `values`, and `given`, the names that the environment gave."""

    def __init__(self, run_dir, environment):
        path = f"{run_dir}/faxline.conf"
        if not os.path.exists(path):
            make_file(path)
        names = known_names()
        in_file = {name: value for name, value in read_file(path).items() if value}
        self.given = {name: environment[name] for name in names if environment.get(name)}
        self.values = DEFAULTS | in_file | self.given
        values = self.values
        for name in ("LAN_PORT", "PUBLIC_PORT", "ACME_PORT", "POP3_PORT") + (("SANDBOX_PORT",) if "SANDBOX_PORT" in values else ()):
            if not re.fullmatch(r"[0-9]{1,5}", values[name]) or not 0 < int(values[name]) < 65536:
                raise Stop(78, f"{name} must be a number from 1 to 65535, but is \"{values[name]}\".")
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", values["RUN_USER"]):
            raise Stop(78, "RUN_USER must be letters, digits, dots, hyphens and underscores alone.")
        if not re.fullmatch(r"[0-9]{1,13}", values["MAX_FAX_BYTES"]):
            raise Stop(78, "MAX_FAX_BYTES must be a whole number.")
        if not re.fullmatch(r"[A-Za-z0-9._:\[\]-]{1,253}", values["PUBLIC_HOSTNAME"]):
            raise Stop(78, "PUBLIC_HOSTNAME must be a host name alone, such as fax.example.org.")
        if re.search(r"[\x00-\x1f\x7f]", values.get("RUN_PASSWORD", "")):
            raise Stop(78, "RUN_PASSWORD must be one line without tabs.")
        values.setdefault("PUBLIC_URL", f"https://{values['PUBLIC_HOSTNAME']}:{values['PUBLIC_PORT']}")
        values.setdefault("STATE_DIR", f"{run_dir}/state")
        values.setdefault("MAILDIR_ROOT_DIR", f"{run_dir}/mail/Maildir")
        for name in ("STATE_DIR", "MAILDIR_ROOT_DIR", "PROVIDER_CA_FILE"):
            if name in values:
                if not os.path.isabs(values[name]):
                    raise Stop(78, f"{name} must be an absolute path: begin it with /.")
                values[name] = os.path.realpath(values[name])
        values.setdefault("SANDBOX_PORT", "0")
        if self.practice and values["SANDBOX_PORT"] == "0":
            values["SANDBOX_PORT"] = sandbox_port(run_dir)
        elif values["SANDBOX_PORT"] == "0":
            values["SANDBOX_PORT"] = "3299"

    @property
    def practice(self):
        return self.values["FAX_PROVIDER"] == "sandbox"

    def __getitem__(self, name):
        return self.values[name]


def login(run_dir, settings):
    """User and password of RUN_DIR/login.txt, written anew when they were given. The second: was a password given?"""
    path, given = f"{run_dir}/login.txt", settings.values.get("RUN_PASSWORD")
    kept = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            kept = dict(line.rstrip("\n").split(": ", 1) for line in file if ": " in line)
    password = given or kept.get("password") or secrets.token_urlsafe(12)
    if (settings["RUN_USER"], password) != (kept.get("user"), kept.get("password")):
        write(path, f"user: {settings['RUN_USER']}\npassword: {password}\n", 0o600)
    os.chmod(path, 0o600)
    return password, bool(given)
