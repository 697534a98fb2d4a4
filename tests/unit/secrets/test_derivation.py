import pytest

from claw.secrets.derivation import Derivation


@pytest.mark.parametrize(("n", "r", "p"), [(1 << 20, 64, 1), (1 << 21, 8, 1), (1 << 15, 8, 64)])
def test_no_file_can_ask_for_more_memory_and_time_than_there_may_be(
    n: int, r: int, p: int
) -> None:
    with pytest.raises(ValueError, match="none of claw's"):
        Derivation(salt=b"", n=n, r=r, p=p).key_of(b"material")


def test_the_same_material_makes_another_key_with_another_salt() -> None:
    one, other = Derivation.new(), Derivation.new()

    assert one.key_of(b"material") == Derivation.of_json(one.as_json()).key_of(b"material")
    assert one.key_of(b"material") != other.key_of(b"material")
