"""The graph of dependencies."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from claw.model.graph import Condition, Dependency, Graph, Need


def _graph(**declared: str) -> Graph:
    """Return the graph in which each job depends on the jobs whose names it is given."""
    return Graph(
        {name: [Dependency(job=one) for one in text.split()] for name, text in declared.items()}
    )


def test_a_job_waits_for_what_it_says_and_for_what_others_say_comes_before_it() -> None:
    graph = Graph(
        {
            "web": [
                Dependency(job="db", timeout_s=5),
                Dependency(job="migrate", condition=Condition.AFTER_COMPLETE),
            ],
            "warm": [Dependency(job="web", condition=Condition.BEFORE_COMPLETE, timeout_s=3)],
            "db": [],
            "migrate": [],
        }
    )
    assert graph.needs("web") == (
        Need("db", False, 5, "web"),
        Need("migrate", True, 0, "web"),
        Need("warm", True, 3, "warm"),
    )
    assert graph.needs("warm") == ()
    assert graph.needed_by("warm") == ("web",)
    assert graph.needed_by("web") == ()
    assert graph.with_needs(["web"]) == {"web", "db", "migrate", "warm"}
    assert graph.with_needs(["db", "warm"]) == {"db", "warm"}


def test_what_is_not_there_is_no_edge() -> None:
    graph = _graph(web="db", api="web")
    assert graph.needs("web") == ()
    assert [need.job for need in graph.needs("api")] == ["web"]


def test_levels_say_in_which_order_jobs_start() -> None:
    graph = _graph(web="api", api="db cache", db="", cache="disk", disk="", other="")
    levels = {
        name: graph.level(name) for name in ("web", "api", "db", "cache", "disk", "other")
    }
    assert levels == {"web": 3, "api": 2, "db": 0, "cache": 1, "disk": 0, "other": 0}


def test_a_long_chain_is_no_deep_recursion() -> None:
    names = [f"j{no}" for no in range(5000)]
    chain = {name: [Dependency(job=needed)] for name, needed in pairwise(names)}
    graph = Graph({**chain, names[-1]: []})
    assert graph.level("j0") == 4999
    assert graph.cycle() == ()
    assert len(graph.with_needs(["j0"])) == 5000
    circle = Graph({**chain, names[-1]: [Dependency(job="j0")]})
    assert len(circle.cycle()) == 5000


def test_a_circle_is_told_step_by_step() -> None:
    assert _graph(a="b", b="c", c="a").cycle() == ("a", "b", "c")
    assert _graph(x="a", a="b", b="a").cycle() == ("a", "b")
    assert _graph(a="a").cycle() == ("a",)
    assert _graph(a="b c", b="d", c="d", d="").cycle() == ()


_NAMES = [f"j{no}" for no in range(8)]
_EDGES = st.lists(st.tuples(st.sampled_from(_NAMES), st.sampled_from(_NAMES)), max_size=24)
_CONDITIONS = st.sampled_from(list(Condition))


def _of(edges: list[tuple[str, str]], conditions: list[Condition]) -> Graph:
    declared: dict[str, list[Dependency]] = {name: [] for name in _NAMES}
    for (waits, needed), condition in zip(edges, conditions, strict=True):
        by, other = (
            (waits, needed) if condition is not Condition.BEFORE_COMPLETE else (needed, waits)
        )
        declared[by].append(Dependency(job=other, condition=condition))
    return Graph(declared)


@given(_EDGES, st.data())
def test_without_a_circle_every_job_stands_above_all_that_it_needs(
    edges: list[tuple[str, str]], data: st.DataObject
) -> None:
    downwards = [edge for edge in edges if edge[0] < edge[1]]
    conditions = [data.draw(_CONDITIONS) for _ in downwards]
    graph = _of(downwards, conditions)
    assert graph.cycle() == ()
    for waits, needed in downwards:
        assert graph.level(waits) > graph.level(needed)
        assert waits in graph.needed_by(needed)
        assert needed in graph.with_needs([waits])
    for name in _NAMES:
        assert all(need.job > name for need in graph.needs(name))


@given(_EDGES)
def test_what_is_called_a_circle_is_one_and_none_is_overlooked(
    edges: list[tuple[str, str]],
) -> None:
    graph = _of(edges, [Condition.AFTER_START] * len(edges))
    cycle = graph.cycle()
    for waits, needed in zip(cycle, (*cycle[1:], *cycle[:1]), strict=True):
        assert (waits, needed) in edges
    reach = {name: {needed for waits, needed in edges if waits == name} for name in _NAMES}
    for middle in _NAMES:
        for name in _NAMES:
            if middle in reach[name]:
                reach[name] |= reach[middle]
    assert bool(cycle) == any(name in reach[name] for name in _NAMES)
