"""Which programs are said to have grown."""
import pytest

from watch import GROWTH_DESCRIPTORS, GROWTH_KILOBYTES, LONG_ENOUGH, Watch


@pytest.fixture(name="watch")
def watch_fixture():
    watch = Watch(None)
    for name in watch.memory:
        for is_warm in (False, True):
            watch.memory[name].add(1000 if not is_warm else 5000, is_warm)
            watch.descriptors[name].add(7, is_warm)
    return watch


def test_a_program_that_got_warm_has_not_grown(watch):
    watch.memory["faxline-queue"].add(5000 + GROWTH_KILOBYTES)
    assert watch.grown(LONG_ENOUGH, 0) == []


def test_one_that_grew_afterwards_is_named_in_a_run_that_is_long_enough(watch):
    watch.memory["faxline-queue"].add(5001 + GROWTH_KILOBYTES)
    watch.descriptors["send"].add(8 + GROWTH_DESCRIPTORS)
    assert set(watch.grown(LONG_ENOUGH, 0)) == {"faxline-queue", "send"}
    assert watch.grown(LONG_ENOUGH - 1, 0) == []


def test_the_practice_provider_keeps_every_fax(watch):
    watch.memory["sandbox"].add(5000 + GROWTH_KILOBYTES + 2000)
    assert watch.grown(LONG_ENOUGH, 1000) == []
    assert watch.grown(LONG_ENOUGH, 900) == ["sandbox"]
