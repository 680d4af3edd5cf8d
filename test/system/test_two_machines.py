"""Two whole machines behind one address: two_machines.py, in namespaces of its own."""
import os
import subprocess
import sys

import pytest


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root can make networks")
def test_either_of_two_machines_is_killed_and_nothing_is_lost_or_doubled():
    scenario = os.path.join(os.path.dirname(os.path.abspath(__file__)), "two_machines.py")
    done = subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, scenario], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stdout
