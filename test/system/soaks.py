"""Soaks that run side by side."""
import os
import subprocess
import tempfile

from line import BUILD, ROOT

RUNS = {
    "twilio": {"MINUTES": "2", "SEED": "check", "DIALECT": "twilio", "RATE": "0.6"},
    "signalwire": {"MINUTES": "2", "SEED": "check", "DIALECT": "signalwire", "RATE": "0.6"},
    "self-test": {"MINUTES": "0.4", "SEED": "check", "DIALECT": "twilio", "STORE_MEDIA": "true", "KILLS": "no", "SELF_TEST": "1"},
}
LONGEST_SECONDS = 900


class Soaks:
    def __init__(self, wanted):
        self.running = {name: self.begin(RUNS[name]) for name in wanted}

    def begin(self, settings):
        output = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # pylint: disable=consider-using-with
        environment = {name: value for name, value in os.environ.items() if name not in ("RUN_DIR", "MAKEFLAGS")} | settings | {"BUILD": BUILD}
        return subprocess.Popen([os.path.join(ROOT, "test/soak/soak")], cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT), output  # pylint: disable=consider-using-with

    def end(self, name):
        """Exit status and what it printed."""
        process, output = self.running[name]
        status = process.wait(LONGEST_SECONDS)
        output.seek(0)
        return status, output.read()

    def close(self):
        for process, output in self.running.values():
            if process.poll() is None:
                process.terminate()
                process.wait(120)
            output.close()
