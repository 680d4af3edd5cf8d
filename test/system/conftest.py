import os
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import documents as document_maker  # noqa: E402
from line import Line  # noqa: E402
from soaks import Soaks  # noqa: E402


@pytest.fixture(scope="session")
def documents():
    with tempfile.TemporaryDirectory(prefix="faxline-documents-") as folder:
        os.chmod(folder, 0o755)
        yield document_maker.make(folder)


@pytest.fixture(scope="session")
def line():
    """One line for all tests that do not stop it."""
    it = Line().start()
    yield it
    it.close()


@pytest.fixture(scope="session")
def person(line):
    return line.browser_session()


@pytest.fixture(scope="session", autouse=True)
def soaks(request):
    """Those that the tests of this session ask for. They take minutes, mostly waiting: they run beside the other tests."""
    names = {"[twilio]": "twilio", "[signalwire]": "signalwire", "on_purpose_is_told": "self-test"}
    wanted = {name for item in request.session.items if item.path.name == "test_soak.py" for part, name in names.items() if part in item.name}
    running = Soaks(sorted(wanted))
    yield running
    running.close()
