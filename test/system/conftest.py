import os
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import documents as document_maker  # noqa: E402
from line import Line  # noqa: E402


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
