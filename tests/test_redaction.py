"""No key gets into what the service stores, whatever carries it; nothing else is changed."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.exceptions import ApplicationError

from research import config, redaction
from research.temporal.converter import data_converter
from tests.conftest import KEY

QUOTED = 'sk-"quoted\\and-slashed/1'
DIGITS = "2026112500"
CONVERTER = data_converter(redaction.secrets_of([KEY, QUOTED, DIGITS]))


async def stored(data: bytes, encoding: bytes = b"json/plain") -> bytes:
    """The bytes of a payload as the service gets them."""
    assert CONVERTER.payload_codec
    [payload] = await CONVERTER.payload_codec.encode([Payload(metadata={"encoding": encoding}, data=data)])
    assert payload.metadata["encoding"] == encoding
    return payload.data


@pytest.mark.parametrize("key", [KEY, QUOTED, DIGITS])
@pytest.mark.parametrize("ascii", [True, False])
async def test_a_key_is_found_wherever_a_string_is(key: str, ascii: bool) -> None:
    value: dict[str, Any] = {
        f"name {key}": [f"日本 {key}, twice {key}", {"inner": [None, True, key]}],
        "escaped again": json.dumps({"arguments": key}),
        "in a URL": f"https://x.test/?k={quote(key, safe='')}",
        "kept": 'a "quote", a \\ and an é',
    }
    data = await stored(json.dumps(value, ensure_ascii=ascii).encode())
    assert json.loads(data) == {
        "name [key removed]": [
            "日本 [key removed], twice [key removed]",
            {"inner": [None, True, "[key removed]"]},
        ],
        "escaped again": '{"arguments": "[key removed]"}',
        "in a URL": "https://x.test/?k=[key removed]",
        "kept": value["kept"],
    }


async def test_numbers_are_never_broken() -> None:
    """Not where their digits are a key's, and not by being read and written again."""
    numbers = f"{DIGITS}, 1{DIGITS}.50, 1e400, -0.0, 0.1000, {'9' * 5000}"
    data = await stored(f'[{numbers}, "{KEY}"]'.encode())
    assert data.decode() == f'[{numbers}, "[key removed]"]'


async def test_without_a_key_the_bytes_stay() -> None:
    data = b'{ "b" : "\\u00e9 \\/ \\ud83d", "b": 1.0,\n"a": "sk-another-key-0123456789"}'
    assert await stored(data) == data


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (f"not JSON: {QUOTED} {KEY}".encode(), b"json/plain"),
        (f'{{"cut": "{KEY}'.encode(), b"json/plain"),
        (f"[{'[' * 100_000} {KEY}".encode(), b"json/plain"),
        (KEY.encode("utf-8") + b"\xff\xfe\x00", b"binary/plain"),
        (KEY.encode(), b"binary/encrypted"),
    ],
)
async def test_what_is_not_json_is_text(data: bytes, encoding: bytes) -> None:
    cleaned = await stored(data, encoding)
    assert KEY.encode() not in cleaned
    assert cleaned == data.replace(KEY.encode(), b"[key removed]").replace(QUOTED.encode(), b"[key removed]")


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.sampled_from([KEY, QUOTED, DIGITS]),
        st.text(),
    ),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text() | st.just(QUOTED), inner)),
)


@given(value=JSON, ascii=st.booleans())
async def test_any_json_stays_json_without_keys(value: Any, ascii: bool) -> None:
    def expected(part: Any) -> Any:
        if isinstance(part, str):
            return redaction.remove_secrets(part, redaction.secrets_of([KEY, QUOTED, DIGITS]))
        if isinstance(part, dict):
            return {expected(name): expected(inner) for name, inner in part.items()}
        return [expected(inner) for inner in part] if isinstance(part, list) else part

    text = json.dumps(value, ensure_ascii=ascii)
    data = await stored(text.encode("utf-8"))
    assert repr(json.loads(data)) == repr(expected(json.loads(text)))


async def test_no_part_of_a_failure_holds_a_key() -> None:
    """Message, stack trace, details and causes; nor what only looks like a key, as providers repeat it."""
    look_alike = "sk-proj-abcdef123456"
    try:
        try:
            raise ValueError(f"inner {KEY} {look_alike}")
        except ValueError as error:
            raise ApplicationError(f"outer {QUOTED}", {"detail": [QUOTED, look_alike]}) from error
    except ApplicationError as error:
        failure = Failure()
        await CONVERTER.encode_failure(error, failure)
    text = str(failure)
    for part in (KEY, "quoted", "abcdef123456"):
        assert part not in text
    assert failure.message == "outer [key removed]"
    assert failure.cause.message == "inner [key removed] [key removed]"
    [details] = failure.application_failure_info.details.payloads
    assert json.loads(details.data) == {"detail": ["[key removed]", "[key removed]"]}


async def test_a_failure_of_another_sdk_is_cleaned_too() -> None:
    """One that came with encoded attributes, and is passed on by the Workflow as it is."""
    attributes = Payload(metadata={"encoding": b"json/plain"}, data=json.dumps({"message": QUOTED}).encode())
    cause = Failure(message="Encoded failure", stack_trace=f"at {KEY}", encoded_attributes=attributes)
    error = ApplicationError("outer")
    error._failure = Failure(message="outer", cause=cause)
    failure = Failure()
    await CONVERTER.encode_failure(error, failure)
    assert failure.cause.stack_trace == "at [key removed]"
    assert json.loads(failure.cause.encoded_attributes.data) == {"message": "[key removed]"}


@pytest.mark.parametrize(
    "text",
    [
        f"Incorrect API key provided: {KEY}",
        "Incorrect API key provided: sk-proj-abc****wxyz",
        "GET https://x.test/v1beta/models?key=AIzaSyA1234567890abcdef failed",
        "header 'Authorization: Bearer abc.def.ghi'",
        "connecting to https://user:hunter2hunter2@proxy.test/",
    ],
)
def test_no_key_survives_in_a_message(text: str) -> None:
    redacted = config.read({"LLM_API_KEY": KEY}).redact(text)
    assert "[key removed]" in redacted
    for secret in (KEY, "abc****", "AIzaSy", "abc.def", "hunter2"):
        assert secret not in redacted


@pytest.mark.parametrize("word", ["ollama", "EMPTY", "1234567", "not-needed", "anything_else"])
def test_a_local_models_key_is_an_ordinary_word(word: str) -> None:
    settings = config.read({"LLM_API_KEY": word, "LLM_API_BASE": "http://127.0.0.1:11434/v1"})
    assert settings.without_secrets(f"this is {word}") == f"this is {word}"


@pytest.mark.parametrize("key", ["12345678", "abcdefghijklmnop", "not-needed-1", "a-b-c-d-e", QUOTED])
@pytest.mark.parametrize(
    "name", ["LLM_API_KEY", "TAVILY_API_KEY", "AWS_SECRET_ACCESS_KEY", "FSSPEC_SFTP_PASSWORD"]
)
def test_every_other_key_is_a_secret(name: str, key: str) -> None:
    settings = config.read({name: key, "LLM_MODEL": "sample/report"})
    assert settings.without_secrets(f"this is {key}!") == "this is [key removed]!"
