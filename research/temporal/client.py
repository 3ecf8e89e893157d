"""Connecting to Temporal: the one place where both processes do it.

What the service is comes from Temporal's own settings (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE,
TEMPORAL_API_KEY, TEMPORAL_TLS_…, or a profile); see `temporalio.envconfig`. Without any, it
is the local dev server, which is started where it is not running.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from typing import Any
from urllib.parse import quote

from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.converter import (
    AdvancedJSONEncoder,
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverter,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
    PayloadCodec,
    PayloadConverter,
)
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.service import RPCError, RPCStatusCode

from research.config import Settings
from research.errors import ServiceUnavailable, UserError

CONNECT_SECONDS = 10


@dataclass(frozen=True)
class Service:
    """Where the Temporal service is, and where its Web UI."""

    address: str
    namespace: str
    ui_url: str | None
    is_dev_server: bool

    def link(self, workflow_id: str, run_id: str) -> str | None:
        """The Web UI's page of one run; None where the Web UI's address is not known."""
        if self.ui_url is None:
            return None
        return f"{self.ui_url}/namespaces/{quote(self.namespace)}/workflows/{quote(workflow_id)}/{run_id}"


async def connect(
    settings: Settings, print_line: Callable[[str], None], identity: str | None = None, verbose: bool = False
) -> tuple[Client, Service]:
    """Connect, starting the local dev server first where that is meant and needed.

    The SDK's own log goes to the terminal where `verbose`; else what matters of it is told by us.

    Raises:
        Unreachable: nothing answers there, or not as Temporal does.
        Fixable: Temporal's settings cannot be used.
    """
    config = _connect_config()
    service = _service(settings, config)
    if service.is_dev_server:
        from research.temporal import devserver

        await devserver.ensure(settings.dev_server_port, print_line)
        service = replace(service, ui_url=settings.ui_url or devserver.ui_url(settings.dev_server_port))
    secrets = (*settings.secrets, *filter(None, [config.get("api_key")]))
    config["target_host"], config["namespace"] = service.address, service.namespace
    converter = data_converter(replace(settings, secrets=secrets))
    try:
        connecting = Client.connect(
            **config, data_converter=converter, identity=identity, runtime=runtime(verbose)
        )
        client = await asyncio.wait_for(connecting, CONNECT_SECONDS)
        await asyncio.wait_for(_find_namespace(client, service), CONNECT_SECONDS)
    except (RuntimeError, RPCError, TimeoutError) as error:
        raise _explain(error, service, settings) from None
    return client, service


@cache
def runtime(verbose: bool) -> Runtime:
    """The SDK's runtime, with its log or without."""
    level = TelemetryFilter(core_level="INFO" if verbose else "ERROR", other_level="ERROR")
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=level)))


async def _find_namespace(client: Client, service: Service) -> None:
    """Ask for the namespace; the dev server, which is ours, is given it where it has none."""
    wanted = DescribeNamespaceRequest(namespace=service.namespace)
    try:
        await client.workflow_service.describe_namespace(wanted)
    except RPCError as error:
        if not (service.is_dev_server and error.status == RPCStatusCode.NOT_FOUND):
            raise
        await _register_namespace(client, service.namespace)
    # For a second the server may remember that a new namespace was not there.
    while service.is_dev_server and not await _knows_namespace(client):  # noqa: ASYNC110
        await asyncio.sleep(0.1)


async def _register_namespace(client: Client, name: str) -> None:
    day = Duration(seconds=24 * 3600)
    request = RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=day)
    try:
        await client.workflow_service.register_namespace(request)
    except RPCError as error:
        if error.status != RPCStatusCode.ALREADY_EXISTS:
            raise


async def _knows_namespace(client: Client) -> bool:
    try:
        await client.count_workflows()
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        return False
    return True


def _connect_config() -> ClientConnectConfig:
    try:
        return ClientConfig.load_client_connect_config()
    except (RuntimeError, ValueError, OSError) as error:
        raise UserError(f"Temporal's settings cannot be used: {error}") from None


def _service(settings: Settings, config: ClientConnectConfig) -> Service:
    default = f"127.0.0.1:{settings.dev_server_port}"
    address = config.get("target_host") or default
    namespace = config.get("namespace") or "default"
    host, _, port = address.rpartition(":")
    local = host in ("localhost", "127.0.0.1", "[::1]")
    ui_url = settings.ui_url
    if ui_url is None and host.endswith((".tmprl.cloud", ".api.temporal.io")):
        ui_url = "https://cloud.temporal.io"
    if ui_url is None and local and port.isdecimal():
        ui_url = f"http://localhost:{int(port) + 1000}"
    is_dev_server = local and port == str(settings.dev_server_port) and not config.get("tls")
    return Service(default if is_dev_server else address, namespace, ui_url, is_dev_server)


def _explain(error: Exception, service: Service, settings: Settings) -> ServiceUnavailable:
    """One line for a connection that failed, from what the SDK and the service say."""
    address = service.address
    if isinstance(error, RPCError):
        if error.status == RPCStatusCode.NOT_FOUND:
            return ServiceUnavailable(
                f"The Temporal service at {address} has no namespace {service.namespace!r}:"
                " set TEMPORAL_NAMESPACE, or create it with"
                f" `temporal operator namespace create -n {service.namespace}`."
            )
        if error.status in (RPCStatusCode.UNAUTHENTICATED, RPCStatusCode.PERMISSION_DENIED):
            return ServiceUnavailable(
                f"The Temporal service at {address} refused us: check TEMPORAL_API_KEY,"
                " TEMPORAL_NAMESPACE and the TEMPORAL_TLS_… settings."
            )
    if service.is_dev_server:
        from research.temporal import devserver

        port = settings.dev_server_port
        if devserver.listens(port):
            return ServiceUnavailable(
                f"Another program holds port {port}, and it is not a Temporal service: stop it, or"
                f" set DEV_SERVER_PORT={port + 1} in .env for both worker and starter."
            )
    return ServiceUnavailable(
        f"No Temporal service answers at {address}: check TEMPORAL_ADDRESS and the network,"
        " or unset it to use the local dev server."
    )


def data_converter(settings: Settings) -> DataConverter:
    """The converter through which all data and errors pass on their way to the service.

    No key of the settings gets by, whatever carries it: a topic, a model's answer, an error.
    """

    class KeyRemovingCodec(PayloadCodec):
        async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
            return [_without_keys(payload, settings) for payload in payloads]

        async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
            return list(payloads)

    class KeyRemovingFailureConverter(DefaultFailureConverter):
        def to_failure(
            self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
        ) -> None:
            super().to_failure(exception, payload_converter, failure)
            failure.message = settings.redact(failure.message)
            failure.stack_trace = settings.redact(failure.stack_trace)

    return DataConverter(
        payload_converter_class=BriefPayloadConverter,
        failure_converter_class=KeyRemovingFailureConverter,
        payload_codec=KeyRemovingCodec() if settings.secrets else None,
    )


class _BriefEncoder(AdvancedJSONEncoder):
    """Leaves out the fields that have their default; so a default, once landed, never changes."""

    def default(self, o: Any) -> Any:
        if not is_dataclass(o):
            return super().default(o)
        told = [field for field in fields(o) if getattr(o, field.name) != field.default]
        return {field.name: getattr(o, field.name) for field in told}


class BriefPayloadConverter(CompositePayloadConverter):
    """The SDK's own, with JSON that says only what is worth saying: a history is read by people."""

    def __init__(self) -> None:
        converters = DefaultPayloadConverter.default_encoding_payload_converters
        brief = JSONPlainPayloadConverter(encoder=_BriefEncoder)
        super().__init__(*[brief if c.encoding == brief.encoding else c for c in converters])


def _without_keys(payload: Payload, settings: Settings) -> Payload:
    try:
        text = payload.data.decode()
    except UnicodeDecodeError:
        return payload
    return Payload(metadata=payload.metadata, data=settings.without_secrets(text).encode())
