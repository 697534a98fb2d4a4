"""JSON by the C parts of the standard library's json alone.

`json` itself loads re and enum for the sake of decoders in Python; those would be most of
what a supervisor imports. Its C parts need none of that.
"""

from _json import encode_basestring_ascii, make_encoder, make_scanner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Settings:
    """How the scanner makes values; the same as those of json.JSONDecoder."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int

    @staticmethod
    def parse_constant(name: str) -> float:
        """Refuse NaN and Infinity, which are no JSON."""
        raise ValueError(name)


def _refuse(value: object) -> object:
    raise TypeError(f"no JSON value: {value!r}")


_scan = make_scanner(_Settings)  # type: ignore[arg-type]
_encode = make_encoder(
    None, _refuse, encode_basestring_ascii, None, ":", ",", False, False, False
)


def dumps(value: object) -> str:
    """Return a value as compact JSON, in ASCII."""
    return "".join(_encode(value, 0))


def loads(data: bytes) -> "Any":
    """Return the value of JSON text.

    Raises:
        ValueError: It is not JSON, or more than one value.
    """
    text = data.decode().strip()
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        raise ValueError("no value") from None
    except (SystemError, RecursionError):
        # The C part looks for the error's class in json.decoder, which is not imported here;
        # from Python 3.12 on it imports that, and raises what is a ValueError itself.
        raise ValueError("torn, or no JSON") from None
    if end != len(text):
        raise ValueError("more than one value")
    return value
