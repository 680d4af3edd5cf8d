"""The Makefile on a machine that has nothing yet, not even pkg-config."""
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def test_libraries_are_asked_for_when_packages_are_there(tmp_path):
    """pkg-config fails until the recipe of `packages` has run, as on an empty machine."""
    there = tmp_path / "there"
    pkg_config = tmp_path / "pkg-config"
    pkg_config.write_text(f"#!/bin/sh\n[ -e {there} ] && exec /usr/bin/pkg-config \"$@\"\nexit 127\n", encoding="ascii")
    pkg_config.chmod(0o755)
    wrapper = tmp_path / "Makefile"
    wrapper.write_text(f"include {ROOT}/Makefile\nbrought:\n\t@touch {there}\nask: brought\n\t@echo libraries $(LIBRARIES)\n\t@echo flags $(CPPFLAGS)\n", encoding="ascii")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS", "CPPFLAGS"))}
    environment["PATH"] = f"{tmp_path}:{environment['PATH']}"
    said = subprocess.run(["make", "--no-print-directory", "-f", str(wrapper), "ask"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    libraries, flags = said.splitlines()
    assert "-lcrypto" in libraries and "-lcurl" in libraries and "-lgmime-3.0" in libraries, libraries
    assert "gmime-3.0" in flags, flags
