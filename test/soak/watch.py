"""Memory, file descriptors and disk while the line runs: first, last and most of each program."""
import os
import re
import time

from trouble import PROGRAMS

# What a program may grow by, in a run that is long enough to tell: from when it is warm (it has opened its connections, and
# their caches are full) to its last measure. The practice provider keeps every fax, as a provider does.
GROWTH_KILOBYTES, GROWTH_DESCRIPTORS, LONG_ENOUGH, WARM = 6 * 1024, 32, 20 * 60, 5 * 60
PROVIDERS_KILOBYTES_A_FAX = 2


def pss_kilobytes(process):
    with open(f"/proc/{process}/smaps_rollup", encoding="ascii") as file:
        return int(re.search(r"^Pss:\s+(\d+) kB", file.read(), re.M)[1])


def size_of(folder):
    total = 0
    for entry in os.scandir(folder):
        try:
            total += size_of(entry.path) if entry.is_dir(follow_symlinks=False) else entry.stat(follow_symlinks=False).st_size
        except OSError:
            pass  # it is gone
    return total


class Series:
    def __init__(self):
        self.first = self.warm = self.last = self.most = None

    def add(self, value, is_warm=True):
        self.first = value if self.first is None else self.first
        if is_warm and self.warm is None:
            self.warm = value
        self.last, self.most = value, max(value, self.most or 0)

    def __str__(self):
        return f"{self.first}/{self.last}/{self.most}"


class Watch:
    def __init__(self, line):
        self.line = line
        self.memory = {name: Series() for name in PROGRAMS}
        self.descriptors = {name: Series() for name in PROGRAMS}
        self.disk, self.logs, self.ourselves = Series(), Series(), Series()
        self.began = time.monotonic()

    def measure(self):
        sums = {}
        for process, name in self.line.all_processes().items():
            try:
                size, descriptors = pss_kilobytes(process), len(os.listdir(f"/proc/{process}/fd"))
            except (OSError, TypeError):
                continue  # it has ended
            before = sums.get(name, (0, 0))
            sums[name] = (before[0] + size, before[1] + descriptors)
        for name in PROGRAMS:
            if name in sums:
                is_warm = time.monotonic() - self.began >= WARM
                self.memory[name].add(sums[name][0], is_warm)
                self.descriptors[name].add(sums[name][1], is_warm)
        self.disk.add(size_of(self.line.state_dir) // 1024)
        self.logs.add(size_of(os.path.join(self.line.run_dir, "log")) // 1024)
        self.ourselves.add(pss_kilobytes(os.getpid()))

    def grown(self, seconds, faxes):
        """Programs that grew, of a run that took so long, and in which the provider had so many faxes."""
        if seconds < LONG_ENOUGH:
            return []

        def by(series):
            return (series[name].last or 0) - (series[name].warm or 0)

        found = []
        for name in PROGRAMS:
            allowed = GROWTH_KILOBYTES + (faxes * PROVIDERS_KILOBYTES_A_FAX if name == "sandbox" else 0)
            if by(self.memory) > allowed or by(self.descriptors) > GROWTH_DESCRIPTORS:
                found.append(name)
        return found

    def lines(self):
        yield "first/last/most        PSS in kB            file descriptors"
        for name in PROGRAMS:
            yield f"  {name:20} {self.memory[name]!s:20} {self.descriptors[name]}"
        yield f"  {'the soak itself':20} {self.ourselves}"
        yield f"kB on disk: state {self.disk}, logs {self.logs}"
