"""`make install` into a folder, and the units: what they may touch, by README's table and by systemd's own judgement. A
machine that is installed and booted is in test/machine."""
import json
import os
import re
import shutil
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("BUILD", f"{ROOT}/build"))
FASTCGI = ("session", "send", "status", "inbox", "inbound", "media", "sandbox")
DAEMONS = ("faxline-queue", "faxline-deliver")
STATE = "/var/lib/faxline"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def make(target, destination, **values):
    """With the files that the build made, and nothing rebuilt."""
    words = ["make", "--no-print-directory", "-C", ROOT, "-o", "all", "-o", "packages", target, f"BUILD={BUILD}", f"DESTDIR={destination}", *(f"{name}={value}" for name, value in values.items())]
    return subprocess.run(words, check=True, capture_output=True, text=True)


def files(folder):
    """path -> mode, and what is in it."""
    found = {}
    for where, _, names in os.walk(folder):
        for name in names:
            path = f"{where}/{name}"
            content = os.readlink(path) if os.path.islink(path) else open(path, "rb").read()  # pylint: disable=consider-using-with
            found[path[len(str(folder)) :]] = (os.lstat(path).st_mode & 0o7777, content)
    return found


def unit(name):
    """The settings of a unit: name -> words, of all its lines together."""
    found = {}
    for key, value in re.findall(r"^(\w+)=(.*)$", read(f"{ROOT}/systemd/{name}"), re.M):
        found.setdefault(key, []).extend(value.split())
    return found


def unit_of(program):
    return unit(f"{program if program in DAEMONS else 'faxline-' + program}.service")


def table():
    """program -> (account, folders it may write to, network), of README.md."""
    rows = re.findall(r"^\| `([\w-]+)` \|[^|]*\| ([\w -]+) \|([^|]*)\| (yes|no|this machine) \|$", read(f"{ROOT}/README.md"), re.M)
    return {name: (account, set(re.findall(r"`(\w+)`", folders)), network != "no") for name, account, folders, network in rows}


def test_installed_twice_and_taken_away(tmp_path):
    make("install", tmp_path)
    first = files(tmp_path)
    for program in FASTCGI:
        assert first[f"/usr/lib/faxline/cgi-bin/{program}"][0] == 0o755
        assert first[f"/usr/lib/systemd/system/faxline-{program}.service"][0] == 0o644
    assert first["/usr/bin/faxline"][0] == 0o755
    assert first["/etc/faxline/faxline.conf"][0] == 0o600
    assert not [path for path in first if path.startswith("/etc/nginx/sites-enabled")], "a site is enabled before anybody asked nginx"
    assert {path for path in first if path.endswith(".md")} == {"/usr/share/doc/faxline/README.md"}
    settings = tmp_path / "etc/faxline/faxline.conf"
    settings.write_text(settings.read_text().replace("PUBLIC_HOSTNAME=", "PUBLIC_HOSTNAME=kept-"))
    (tmp_path / "usr/lib/faxline/cgi-bin/of-an-earlier-version").write_text("")
    make("install", tmp_path)
    second = files(tmp_path)
    assert b"PUBLIC_HOSTNAME=kept-" in second["/etc/faxline/faxline.conf"][1] and second["/etc/faxline/faxline.conf"][0] == 0o600
    assert first.keys() == second.keys()
    make("uninstall", tmp_path)
    assert list(files(tmp_path)) == ["/etc/faxline/faxline.conf"]


def test_settings_of_the_first_start_are_right(tmp_path):
    make("install", tmp_path)
    asked = subprocess.run([f"{BUILD}/bin/faxline", "config", "check"], env={"FAXLINE_CONF": f"{tmp_path}/etc/faxline/faxline.conf"}, capture_output=True, text=True, check=False)
    assert asked.returncode == 0, asked.stderr
    other = tmp_path / "again"
    make("install", other)
    token = re.compile(r"^TWILIO_TOKEN=([0-9a-f]{32})$", re.M)
    assert token.search((tmp_path / "etc/faxline/faxline.conf").read_text())[1] != token.search((other / "etc/faxline/faxline.conf").read_text())[1]


def test_another_prefix(tmp_path):
    make("install", tmp_path, PREFIX="/opt/fax")
    installed = files(tmp_path)
    for path, (_, content) in installed.items():
        if "/systemd/" in path:
            for found in re.findall(rb"^ExecStart=(\S+)", content, re.M):
                assert found.decode() in installed, f"{path} starts {found.decode()}, which is not there"
    make("uninstall", tmp_path, PREFIX="/opt/fax")
    assert list(files(tmp_path)) == ["/etc/faxline/faxline.conf"]


def test_only_root_changes_the_machine():
    if os.getuid() == 0:
        pytest.skip("only an ordinary user can be refused")
    for script in ("install", "uninstall"):
        done = subprocess.run([f"{ROOT}/systemd/{script}"], capture_output=True, text=True, check=False)
        assert done.returncode == 77 and "sudo make" in done.stderr


@pytest.fixture(scope="module")
def units(tmp_path_factory):
    """The units as they are on a machine, with everything that they start."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("*** systemd-analyze is missing: apt-get install systemd")
    if os.getuid() != 0 and not os.path.isdir("/run/systemd"):
        pytest.skip("*** THE UNITS WERE NOT LOOKED AT: systemd-analyze needs /run/systemd, and this user cannot make it")
    folder = tmp_path_factory.mktemp("units")
    make("install", folder)
    units = folder / "usr/lib/systemd/system"
    for path in units.glob("faxline*"):
        path.write_text(re.sub(r"^(ExecStart=)/", rf"\g<1>{folder}/", path.read_text(), flags=re.M))
    return units


def test_systemd_understands_the_units(units):
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *map(str, units.glob("faxline*"))], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "faxline" in line]
    assert (done.returncode, ours) == (0, [])


@pytest.mark.parametrize("program", FASTCGI + DAEMONS)
def test_exposure(units, program):
    """systemd's own measure, 0 to 10."""
    limit = 2.5 if program in DAEMONS else 1.5
    path = units / f"{program if program in DAEMONS else 'faxline-' + program}.service"
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={int(limit * 10)}", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout.splitlines()[-1:]


def test_every_program_has_a_room():
    assert set(table()) == set(FASTCGI + DAEMONS)


@pytest.mark.parametrize("program", FASTCGI + DAEMONS)
def test_table_and_unit_say_the_same(program):
    account, folders, network = table()[program]
    room = unit_of(program)
    if program != "faxline-deliver":  # whose user and folder are the mailbox's (systemd/apply)
        assert room["User"] == [account]
    assert {path.removeprefix(f"{STATE}/") for path in room.get("BindPaths", [])} == folders
    assert (room.get("PrivateNetwork") == ["yes"]) is not network
    if not network:
        assert room["RestrictAddressFamilies"] == ["AF_UNIX"]
    assert room.get("IPAddressAllow", []) == (["localhost"] if program == "sandbox" else [])
    hidden = {path.lstrip("-").removeprefix(f"{STATE}/") for path in room.get("InaccessiblePaths", [])}
    assert STATE in room["BindReadOnlyPaths"], "it cannot see that a restore was cut off"
    assert {"people", "db", "spool", "handout", "sandbox", "acme"} - folders <= hidden
    assert not hidden & folders
    # In memory, not by PrivateTmp: that makes folders on the disk, which may be full.
    assert {"/var:ro", "/run:ro", "/tmp:mode=1777", "/var/tmp:mode=1777"} <= set(room["TemporaryFileSystem"])


@pytest.mark.parametrize("program", FASTCGI + DAEMONS)
def test_rooms_are_locked_alike(program):
    """What all have; who has less says so here."""
    queue_may = {"ProtectClock", "ProcSubset", "MemoryDenyWriteExecute", "PrivateNetwork", "IPAddressDeny"}
    less = {"faxline-queue": queue_may, "sandbox": {"PrivateNetwork"}}.get(program, set())
    room = unit_of(program)
    for name in ("NoNewPrivileges", "PrivateDevices", "PrivateUsers", "PrivateIPC", "PrivateMounts", "PrivateNetwork", "ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables",
                 "ProtectControlGroups", "ProtectClock", "RestrictRealtime", "RestrictSUIDSGID", "LockPersonality", "MemoryDenyWriteExecute", "RemoveIPC"):  # fmt: skip
        assert (room.get(name) == ["yes"]) == (name not in less), name
    assert (room["CapabilityBoundingSet"], room["ProtectSystem"], room["ProtectProc"]) == ([], ["strict"], ["invisible"])
    assert (room.get("IPAddressDeny") == ["any"]) == ("IPAddressDeny" not in less)
    assert (room.get("ProcSubset") == ["pid"]) == ("ProcSubset" not in less)
    assert room["LoadCredential"] == [f"faxline.conf:/run/faxline-settings/{program}.conf"]
    assert (room["Restart"], room["StartLimitIntervalSec"]) == (["always"], ["0"])


def test_folders_and_accounts_agree():
    accounts = set(re.findall(r"^u (\S+)", read(f"{ROOT}/systemd/sysusers.conf"), re.M))
    owners = dict(re.findall(r"^d (\S+)\s+\d+ (\S+)", read(f"{ROOT}/systemd/tmpfiles.conf"), re.M))
    assert set(owners.values()) - {"root"} <= accounts
    for program in FASTCGI + DAEMONS:
        for path in unit_of(program).get("BindPaths", []):
            assert path in owners, f"{program} needs {path}, which nobody makes"


def test_programs_with_settings_are_those_with_units():
    """Each has a part of the settings, and a unit that hands it over."""
    names = re.search(r"kPrograms\{(.*?)\}", read(f"{ROOT}/lib/config/share.cc"))[1]
    assert set(json.loads(f"[{names}]")) == set(FASTCGI + DAEMONS)
