"""A line for a soak: can be killed as a whole, names its processes, measures itself."""
import os
import random
import signal
import socket
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "system"), os.path.join(os.path.dirname(HERE), "bench")]

import memory  # noqa: E402
from line import Line, wait_until  # noqa: E402,F401


def started(process):
    """Ticks since the machine's start, 0 when it has ended."""
    try:
        with open(f"/proc/{process}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
            return 0 if fields[0] == "Z" else int(fields[19])
    except OSError:
        return 0


def quiet_ports(count):
    """Free ones below those that the kernel gives to connections: such a one could be taken while the line is down."""
    found = []
    while len(found) < count:
        port = random.SystemRandom().randrange(12_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return map(str, found)


class SoakLine(Line):
    def __init__(self, **settings):
        names = ("LAN_PORT", "PUBLIC_PORT", "ACME_PORT", "POP3_PORT", "SANDBOX_PORT")
        super().__init__(**dict(zip(names, quiet_ports(len(names)))), **settings)

    @property
    def state_dir(self):
        return self.settings.get("STATE_DIR", os.path.join(self.run_dir, "state"))

    @property
    def maildir(self):
        return self.settings.get("MAILDIR_ROOT_DIR", os.path.join(self.run_dir, "mail/Maildir"))

    def all_processes(self):
        """Process -> program: all below make."""
        found = {}
        maker = self.process
        for process in memory.below(maker.pid) if maker else ():
            try:
                found[process] = memory.program_of(process)
            except OSError:
                pass  # it has ended
        return found

    def processes(self, program):
        """Those of one program, the oldest first; "courier" are all of courier's."""
        found = [process for process, name in self.all_processes().items() if name == program or name.startswith(program + ":")]
        return sorted(found, key=started)

    def kill(self, seconds):
        """SIGKILL to everything at once; an error if something is left after that many seconds."""
        everything = [self.process.pid, *memory.below(self.process.pid)]
        born = {process: started(process) for process in everything}
        for process in everything:
            try:
                os.kill(process, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
        self.process.wait()
        end = time.monotonic() + seconds
        while left := [process for process in everything if started(process) == born[process] != 0]:
            assert time.monotonic() < end, f"still there {seconds} s after a SIGKILL of the line: {left}"
            time.sleep(0.05)
        self.process = None
        self.log.close()
