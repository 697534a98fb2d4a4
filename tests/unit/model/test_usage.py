"""What is beyond a limit, by what was measured and by what the kernel has done."""

from claw.model import usage
from claw.model.job import Resources
from claw.model.usage import CALM_S, CPU_WINDOW_S, Excesses, History, Usage

NOTHING: frozenset[str] = frozenset()
ALL = frozenset({usage.MEMORY, usage.CPU, usage.PIDS})
LIMITS = Resources(memory_bytes=64 << 20, cpu=1.5, pids=10)


def history(*usages: Usage) -> History:
    made = History(1)
    for one in usages:
        made.add(one)
    return made


def test_what_is_within_its_limits_is_nothing_to_speak_of() -> None:
    found = history(Usage(at_s=0.0, memory_bytes=64 << 20, pids=10))

    assert usage.beyond(LIMITS, found, NOTHING) == {}
    assert usage.beyond(Resources(), history(Usage(at_s=0.0, pids=10**6)), NOTHING) == {}


def test_what_is_measured_is_told_with_its_figures() -> None:
    found = history(Usage(at_s=0.0, memory_bytes=96 << 20, pids=11))

    assert usage.beyond(LIMITS, found, NOTHING) == {
        "memory": "memory 96M, limit 64M",
        "pids": "11 processes and threads, limit 10",
    }


def test_what_the_kernel_enforces_counts_once_it_has_struck_and_only_then() -> None:
    before = Usage(at_s=0.0, memory_bytes=96 << 20, pids=9, oom_kills=3, forks_refused=5)
    after = Usage(at_s=2.0, memory_bytes=1, pids=1, oom_kills=4, forks_refused=6)

    assert usage.beyond(LIMITS, history(before), ALL) == {}
    assert usage.beyond(LIMITS, history(before, before), ALL) == {}
    assert set(usage.beyond(LIMITS, history(before, after), ALL)) == {"memory", "pids"}


def test_what_struck_before_the_first_look_at_a_run_counts_as_well() -> None:
    struck = Usage(at_s=0.0, oom_kills=1, forks_refused=3)
    first = History(1, is_all=True)
    first.add(struck)

    assert set(usage.beyond(LIMITS, first, ALL)) == {"memory", "pids"}
    first.add(struck)
    assert usage.beyond(LIMITS, first, ALL) == {}


def test_a_later_attempt_that_begins_at_its_limit_has_been_refused_forks_too() -> None:
    for pids, count, expected in ((10, 3, {"pids"}), (9, 3, set()), (10, 0, set())):
        later = History(2)
        later.add(Usage(at_s=0.0, pids=pids, forks_refused=count))

        assert set(usage.beyond(LIMITS, later, ALL)) == expected


def test_a_condition_is_told_once_until_it_has_been_over_for_a_while() -> None:
    none, memory = Excesses(), {"memory": "much"}
    assert none.fresh(memory) == memory

    told = none.after(memory, 0.0).after(memory, 2.0)
    assert told.fresh(memory) == {}
    assert told.fresh({**memory, "pids": "many"}) == {"pids": "many"}

    calm = told.after({}, 4.0)
    assert (calm.over({}, 1.9 + CALM_S), calm.fresh(memory)) == ([], {})
    assert calm.over({}, 2.0 + CALM_S) == ["memory"]
    assert calm.over(memory, 2.0 + CALM_S) == []
    assert calm.after({}, 2.0 + CALM_S).fresh(memory) == memory


def test_processors_are_a_mean_over_the_whole_window() -> None:
    busy = [Usage(at_s=float(at), cpu_s=2.0 * at) for at in range(0, int(CPU_WINDOW_S), 2)]
    full = Usage(at_s=CPU_WINDOW_S, cpu_s=2.0 * CPU_WINDOW_S)

    assert usage.beyond(LIMITS, history(*busy), NOTHING) == {}
    assert "2.00 processors" in usage.beyond(LIMITS, history(*busy, full), NOTHING)["cpu"]
    assert usage.beyond(LIMITS, history(*busy, full), ALL) == {}


def test_a_peak_is_forgotten_once_it_is_older_than_the_window() -> None:
    made = history(Usage(at_s=0.0), Usage(at_s=2.0, cpu_s=100.0))
    for at in range(4, 40, 2):
        made.add(Usage(at_s=float(at), cpu_s=100.0))

    assert usage.beyond(LIMITS, made, NOTHING) == {}
    assert made.usages[0].at_s >= 38 - CPU_WINDOW_S - 2


def test_processes_that_have_gone_with_their_time_make_no_negative_use() -> None:
    made = history(Usage(at_s=0.0, cpu_s=500.0), Usage(at_s=CPU_WINDOW_S, cpu_s=1.0))

    assert made.processors == 0.0
