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


def pytest_collection_modifyitems(items):
    """Several files run at a time, in this order: the ones that take minutes begin, so that none of them is left at the end."""
    longest = ["test_crash.py", "test_two_machines.py", "test_page.py", "test_line.py", "test_faults.py", "test_disk_and_mailbox.py", "test_certificate.py", "test_clients.py", "test_trouble.py"]
    items.sort(key=lambda item: longest.index(item.path.name) if item.path.name in longest else len(longest))
