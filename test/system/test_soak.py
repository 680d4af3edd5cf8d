"""Two minutes of `make soak` in either dialect, and its self-test, side by side: they mostly wait."""
import re

import pytest

from soaks import RUNS, Soaks


@pytest.fixture(scope="module")
def soaks():
    running = Soaks(RUNS)
    yield running
    running.close()


@pytest.mark.parametrize("name", ["twilio", "signalwire"])
def test_nothing_is_lost_doubled_stuck_or_wrong(soaks, name):
    status, text = soaks.end(name)
    assert status == 0, text
    assert [int(number) for number in re.findall(r"^(?:lost|doubled|stuck|wrong) +(\d+)$", text, re.M)] == [0, 0, 0, 0], text
    assert int(re.search(r"^faxes out +(\d+) in the book", text, re.M)[1]) >= 10 and re.search(r"^faults injected +[1-9]", text, re.M), text


def test_what_is_damaged_on_purpose_is_told(soaks):
    status, text = soaks.end("self-test")
    assert status == 0 and text.count("told as lost") == 3, text
    assert all(text.count(f"told as {kind}") for kind in ("doubled", "stuck", "wrong")) and "NOT TOLD" not in text, text
