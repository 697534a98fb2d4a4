"""The outbox held against what it promises, over random messages, refusals, kills and reloads.

The model knows but what was told and what a channel was given. Whoever sends does so as
`claw.master.duties.outbox` does: the first of each lane whose time has come, then the store
is told; between the two it may be killed.
"""

from collections import defaultdict
from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from claw.master.engine import deliveries
from claw.model.channels import Channel, ChannelType
from claw.model.delivery import Delivery, DeliveryState, Refusal
from tests.kit.chance import examples
from tests.kit.desk import Desk

MOST = 4
CHANNELS = tuple(
    Channel(name=name, type=ChannelType.FILE, path="/x", max_pending=MOST, max_attempts=3)
    for name in ("a", "b")
)
NAMES = tuple(one.name for one in CHANNELS)
ADDRESSES = ("", "x", "y")
HOWS = ("taken", "down", "never", "killed after", "killed before", "later")

ACTS = st.one_of(
    st.tuples(st.just("tell"), st.sampled_from(NAMES), st.sampled_from(ADDRESSES)),
    st.tuples(st.just("send"), st.sampled_from(NAMES), st.sampled_from(HOWS)),
    st.tuples(st.just("pass"), st.sampled_from(("1", "60", "4000")), st.just("")),
    st.tuples(st.just("retry"), st.sampled_from(NAMES), st.just("")),
    st.tuples(st.just("reload"), st.sampled_from((*NAMES, "all")), st.just("")),
)


@dataclass
class World:
    """A desk, and what the outside has seen of it."""

    desk: Desk
    told: list[int] = field(default_factory=list)
    seen: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    again: set[int] = field(default_factory=set)  # asked for by somebody

    def rows(self) -> dict[int, Delivery]:
        found = self.desk.database.view(lambda tx: tx.deliveries(limit=10_000))
        return {one.id: one for one in found}

    def tell(self, channel: str, to: str) -> None:
        if any(one.name == channel for one in self.desk.config.channels):
            self.told.append(
                self.desk.do(lambda turn: deliveries.send_test(turn, channel, to, "t"))
            )

    def send(self, channel: str, how: str) -> bool:
        """Make one step for a channel; False: nothing was due."""
        heads = self.desk.database.view(lambda tx: tx.lane_heads(channel))
        if heads and self.desk.config.outlets.channel(channel) is None:
            self.desk.do(lambda turn: deliveries.abandon(turn, channel))
            return True
        due = [one for one in heads if one.next_at <= self.desk.now]
        if not due:
            return False
        one = due[0]
        if how in {"taken", "killed after"}:
            self.seen[channel, one.to].append(one.id)
        if how.startswith("killed"):
            return True
        refusal = {
            "taken": None,
            "down": Refusal(problem="down"),
            "never": Refusal(problem="never", is_final=True),
            "later": Refusal(problem="later", after_s=600),
        }[how]
        self.desk.do(lambda turn: deliveries.settle(turn, one.id, refusal))
        return True

    def retry(self, channel: str) -> None:
        failed = [one for one in self.rows().values() if one.state is DeliveryState.FAILED]
        self.again |= {one.id for one in failed if one.channel == channel}
        self.desk.do(lambda turn: deliveries.retry_all(turn, channel))

    def reload(self, which: str) -> None:
        channels = tuple(one for one in CHANNELS if which in ("all", one.name))
        self.desk.config = replace(self.desk.config, channels=channels)

    def drain(self) -> None:
        """Have all channels there and well, and send until nothing waits."""
        self.reload("all")
        for name in NAMES:
            while self.desk.database.view(lambda tx, name=name: tx.lane_heads(name)):  # type: ignore[misc]
                if not self.send(name, "taken"):
                    self.desk.pass_s(86400)


def check(world: World) -> None:
    rows = world.rows()
    assert sorted(rows) == sorted(world.told)
    seen = {number for numbers in world.seen.values() for number in numbers}
    for number, one in rows.items():
        assert one.state is not DeliveryState.PENDING
        if one.state is DeliveryState.SENT:
            assert number in seen
            assert one.body == ""
        else:
            assert one.problem
    dropped = [one for one in rows.values() if one.state is DeliveryState.DROPPED]
    counted = world.desk.database.view(lambda tx: tx.dropped())
    assert sum(counted.values()) >= len(dropped)
    for numbers in world.seen.values():
        firsts = [one for one in dict.fromkeys(numbers) if one not in world.again]
        assert firsts == sorted(firsts)


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(ACTS, max_size=40))
def test_each_message_is_sent_or_ends_with_words_and_in_its_order(
    acts: list[tuple[str, str, str]],
) -> None:
    world = World(Desk())
    world.reload("all")
    for act, what, more in acts:
        if act == "tell":
            world.tell(what, more)
        elif act == "send":
            world.send(what, more)
        elif act == "pass":
            world.desk.pass_s(float(what))
        elif act == "retry":
            world.retry(what)
        else:
            world.reload(what)
        waiting = world.desk.database.view(lambda tx: tx.delivery_counts())
        assert all(one.get("pending", 0) <= MOST + MOST for one in waiting.values())

    world.drain()

    check(world)
