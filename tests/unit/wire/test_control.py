import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claw import errors
from claw.wire import control

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)

KINDS = list(control._BY_NAME.values())


@given(
    st.text(min_size=1),
    st.dictionaries(st.text(), JSON, max_size=4),
    st.integers() | st.text() | st.none(),
)
def test_a_request_comes_through_unchanged(
    method: str, params: dict[str, object], id_: int | str | None
) -> None:
    line = control.encode_request(id_, method, params)

    request = control.decode_request(line.removesuffix(b"\n"))

    assert line.count(b"\n") == 1
    assert (request.method, request.params, request.id) == (method, params, id_)
    assert request.wants_reply


@given(JSON, st.integers())
def test_a_result_comes_through_unchanged(result: object, id_: int) -> None:
    reply = control.decode_from_master(control.encode_result(id_, result))

    assert isinstance(reply, control.Reply)
    assert (reply.id, reply.result, reply.error) == (id_, result, None)


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_comes_back_as_the_class_that_was_raised(
    kind: type[errors.ClawError],
) -> None:
    line = control.encode_error(7, kind("it broke", hint="mend it"))

    reply = control.decode_from_master(line)

    assert isinstance(reply, control.Reply)
    assert type(reply.error) is kind
    assert (reply.error.message, reply.error.hint, reply.id) == ("it broke", "mend it", 7)
    assert json.loads(line)["error"]["code"] == kind.rpc_code


def test_a_config_error_brings_all_its_diagnostics() -> None:
    raised = errors.ConfigError("2 errors", diagnostics=("a.toml:1: x", "a.toml:2: y"))

    reply = control.decode_from_master(control.encode_error(None, raised))

    assert isinstance(reply, control.Reply)
    assert isinstance(reply.error, errors.ConfigError)
    assert reply.error.diagnostics == ("a.toml:1: x", "a.toml:2: y")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"code": -32001, "message": "gone", "data": {"name": "later"}}, errors.NotFoundError),
        ({"code": -32601, "message": "gone"}, errors.UnknownMethodError),
        ({"code": 12, "message": "?"}, errors.RequestError),
    ],
)
def test_an_error_with_an_unknown_name_is_known_by_its_number(
    body: dict[str, object], kind: type[errors.ClawError]
) -> None:
    line = json.dumps({"jsonrpc": "2.0", "id": 1, "error": body}).encode()

    reply = control.decode_from_master(line)

    assert isinstance(reply, control.Reply)
    assert type(reply.error) is kind


def test_a_call_without_an_id_wants_no_reply() -> None:
    request = control.decode_request(b'{"jsonrpc":"2.0","method":"a.b"}')

    assert not request.wants_reply
    assert request.params == {}


@pytest.mark.parametrize(
    "line",
    [b"", b"\xff\xfe", b"{", b'{"a":1', b"nonsense", b'{"x":NaN}', b"[" * 100_000, b"9" * 5000],
)
def test_bytes_that_are_no_json_are_a_protocol_error(line: bytes) -> None:
    with pytest.raises(errors.ProtocolError) as caught:
        control.decode_request(line)

    assert type(caught.value) is errors.ProtocolError


@pytest.mark.parametrize(
    ("line", "text", "id_"),
    [
        (b'[{"jsonrpc":"2.0","id":1,"method":"a"}]', "batch", None),
        (b"[]", "batch", None),
        (b"3", "not 3", None),
        (b'{"id":5,"method":"a"}', "jsonrpc", 5),
        (b'{"jsonrpc":"1.0","id":5,"method":"a"}', "jsonrpc", 5),
        (b'{"jsonrpc":"2.0","id":"x","method":3}', "method", "x"),
        (b'{"jsonrpc":"2.0","id":5}', "method", 5),
        (b'{"jsonrpc":"2.0","id":5,"method":"a","params":[1]}', "named", 5),
        (b'{"jsonrpc":"2.0","id":5,"method":"a","params":null}', "named", 5),
        (b'{"jsonrpc":"2.0","id":[1],"method":"a"}', '"id"', None),
        (b'{"jsonrpc":"2.0","id":true,"method":"a"}', '"id"', None),
    ],
)
def test_json_that_is_no_request_is_refused_with_the_reason_and_its_id(
    line: bytes, text: str, id_: object
) -> None:
    with pytest.raises(errors.InvalidRequestError) as caught:
        control.decode_request(line)

    assert text in caught.value.message
    assert caught.value.request_id == id_


@pytest.mark.parametrize("line", [b"3", b"[]", b"{}", b'{"error":3,"id":1}', b"\xff"])
def test_what_is_no_answer_is_a_protocol_error_for_the_client(line: bytes) -> None:
    with pytest.raises(errors.ProtocolError):
        control.decode_from_master(line)


def test_a_notification_comes_through() -> None:
    line = control.encode_notification("event", {"cursor": 4})

    told = control.decode_from_master(line)

    assert isinstance(told, control.Notification)
    assert (told.method, told.params) == ("event", {"cursor": 4})


def test_a_file_name_that_is_no_utf_8_survives() -> None:
    name = b"x\xe9".decode("utf-8", "surrogateescape")

    request = control.decode_request(control.encode_request(1, "a", {"file": name}))

    assert request.params == {"file": name}


def test_text_is_sent_as_it_reads() -> None:
    assert "größe" in control.encode_request(1, "a", {"x": "größe"}).decode()
