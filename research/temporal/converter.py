"""Payload and failure conversion: no key of the settings gets into what the service stores."""

from collections.abc import Callable, Iterator, Sequence

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DataConverter, DefaultFailureConverter, PayloadCodec, PayloadConverter

from research import redaction


def data_converter(secrets: Sequence[str]) -> DataConverter:
    """Return the SDK's own converter, with the secrets taken out of all data and errors.

    Errors lose, besides, whatever looks like a key, because providers repeat keys in their messages.
    """

    class RedactionCodec(PayloadCodec):
        async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
            return [_cleaned(payload, remove) for payload in payloads]

        async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
            return list(payloads)

    class RedactingFailureConverter(DefaultFailureConverter):
        def to_failure(
            self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
        ) -> None:
            super().to_failure(exception, payload_converter, failure)
            for part in _chain(failure):
                part.message, part.stack_trace = redact(part.message), redact(part.stack_trace)
                for payload in _payloads(part):
                    payload.CopyFrom(_cleaned(payload, redact))

    def remove(text: str) -> str:
        return redaction.remove_secrets(text, secrets)

    def redact(text: str) -> str:
        return redaction.redact(text, secrets)

    return DataConverter(
        failure_converter_class=RedactingFailureConverter,
        payload_codec=RedactionCodec() if secrets else None,
    )


def _cleaned(payload: Payload, clean: Callable[[str], str]) -> Payload:
    data = None
    if payload.metadata.get("encoding", b"").startswith(b"json/"):
        try:
            data = redaction.clean_json(payload.data, clean)
        except ValueError:
            data = None
    if data is None:
        data = redaction.clean_bytes(payload.data, clean)
    return payload if data == payload.data else Payload(metadata=payload.metadata, data=data)


def _chain(failure: Failure) -> Iterator[Failure]:
    """Yield the failure, its cause, the cause's cause and so on."""
    yield failure
    while failure.HasField("cause"):
        failure = failure.cause
        yield failure


def _payloads(failure: Failure) -> Iterator[Payload]:
    """Yield the payloads of one failure: its encoded attributes and its details."""
    if failure.HasField("encoded_attributes"):
        yield failure.encoded_attributes
    yield from failure.application_failure_info.details.payloads
    yield from failure.canceled_failure_info.details.payloads
    yield from failure.timeout_failure_info.last_heartbeat_details.payloads
    yield from failure.reset_workflow_failure_info.last_heartbeat_details.payloads
