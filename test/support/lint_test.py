"""Each rule of `make lint` can fail: a small tree is built, broken in one way, and the finding is read."""
import os
import subprocess

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


class Tree:
    """A path that can write files below itself."""

    def __init__(self, path):
        self.path = path

    def write(self, name, text):
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def lint(self):
        done = subprocess.run([os.path.join(HERE, "lint"), str(self.path)], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout


@pytest.fixture(name="house")
def house_fixture(tmp_path):
    house = Tree(tmp_path)
    house.write("lib/README.md", open(os.path.join(ROOT, "lib/README.md"), encoding="utf-8").read())
    house.write("README.md", "| setting | default | meaning |\n|---|---|---|\n| `STATE_DIR` | x | y |\n")
    house.write("lib/config/table.cc", '#include "config/table.h"\n  {"STATE_DIR", 1},\n')
    house.write("lib/config/table.h", "#pragma once\nint table();\n")
    house.write("lib/config/README.md", "x\n")
    house.write("lib/spool/spool.h", '#pragma once\n#include "config/table.h"\n')
    house.write("lib/spool/README.md", "x\n")
    house.write("bin/queue.cc", "int main() {\n  return 0;\n}\n")
    house.write("bin/README.md", "x\n")
    return house


def test_a_tidy_house_has_no_finding(house):
    assert house.lint() == (0, "lint: nothing found\n")


@pytest.mark.parametrize(
    "path, text, finding",
    [
        ("lib/config/bad.h", '#pragma once\n#include "spool/spool.h"\n', "'config' (level 1) includes 'spool' (level 2)"),
        ("lib/config/bad.h", '#pragma once\n#include "text/escape.h"\n', "'config' (level 1) includes 'text' (level 1)"),
        ("lib/sandbox/bad.cc", '#include "store/people.h"\n', "'sandbox' never includes 'store'"),
        ("lib/fax/bad.cc", '#include "http/client.h"\n', "'fax' never includes 'http'"),
        ("lib/surprise/new.cc", "\n", "no row for the module 'surprise'"),
        ("lib/spool/bad.cc", "#include <openssl/evp.h>\n", "<openssl/evp.h> belongs to 'crypto' alone"),
        ("bin/bad.cc", "#include <curl/curl.h>\n", "<curl/curl.h> belongs to 'http' alone"),
        ("lib/spool/bad.h", "#pragma once\nstd::string name();\n", "lib/spool/bad.h: does not compile alone"),
        ("cgi-bin/bad.cc", "int main() {\n" + "  ;\n" * 24 + "}\n", "main has 26 lines; 25 is the limit"),
        ("README.md", "nothing\n", "no row for the setting STATE_DIR"),
        ("README.md", "| `STATE_DIR` | x | y |\n| `OTHER` | x | y |\n", "no setting OTHER, though README.md has it"),
        ("lib/maildir/new.h", "#pragma once\n", "lib/maildir: no README.md"),
    ],
)
def test_each_rule_can_fail(house, path, text, finding):
    house.write(path, text)
    code, said = house.lint()
    assert code == 1
    assert finding in said


def test_a_main_of_25_lines_is_allowed(house):
    house.write("bin/queue.cc", "int main() {\n" + "  ;\n" * 23 + "}\n")
    assert house.lint()[0] == 0


def test_a_header_is_tried_alone_unless_its_source_begins_with_it(house):
    house.write("lib/spool/bad.h", "#pragma once\nstd::string name();\n")
    house.write("lib/spool/bad.cc", '#include <string>\n\n#include "spool/bad.h"\n')
    assert "lib/spool/bad.h: does not compile alone" in house.lint()[1]
    house.write("lib/spool/bad.cc", '#include "spool/bad.h"\n\n#include <string>\n')  # then it is the build that complains
    assert house.lint()[0] == 0
