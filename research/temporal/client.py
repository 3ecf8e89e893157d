"""Connecting to Temporal: the one place where both processes do it.

What the service is comes from Temporal's own settings (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE,
TEMPORAL_API_KEY, TEMPORAL_TLS_…, or a profile); see `temporalio.envconfig`. Where they name no
address, it is the local dev server, which is started if it is not running.
"""

import asyncio
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from urllib.parse import quote

from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.service import KeepAliveConfig, RPCError, RPCStatusCode

from research import redaction
from research.config import Settings
from research.errors import ServiceUnavailable, UserError
from research.temporal.converter import data_converter

CONNECT_SECONDS = 10
PROBE_SECONDS = 2
KEEP_ALIVE = KeepAliveConfig(interval_millis=15_000, timeout_millis=5_000)
"""Give up a connection that is silent for 20 seconds, as after a change of networks; the SDK waits for 45.
Services refuse a client that pings more often than every 10 seconds."""


@dataclass(frozen=True)
class Service:
    """Where the Temporal service is, and where its Web UI."""

    address: str
    namespace: str
    ui_url: str | None
    is_dev_server: bool

    def link(self, workflow_id: str, run_id: str) -> str | None:
        """Return the Web UI's page of one run; None where the Web UI's address is not known."""
        if self.ui_url is None:
            return None
        return f"{self.ui_url}/namespaces/{quote(self.namespace)}/workflows/{quote(workflow_id)}/{run_id}"


async def connect(
    settings: Settings, print_line: Callable[[str], None], identity: str | None = None, verbose: bool = False
) -> tuple[Client, Service]:
    """Connect to the service; start the local dev server first if it is meant and does not run.

    `verbose` shows the SDK's own log on the terminal.

    Raises:
        ServiceUnavailable: nothing answers within CONNECT_SECONDS, or not as Temporal does.
        UserError: Temporal's settings cannot be used, or the dev server cannot be had.
    """
    config = _connect_config()
    service = _service(settings, config)
    if service.is_dev_server:
        from research.temporal import devserver

        await devserver.ensure(settings.dev_server_port, print_line)
        service = replace(service, ui_url=settings.ui_url or devserver.ui_url(settings.dev_server_port))
    secrets = (*settings.secrets, *redaction.secrets_of(filter(None, [config.get("api_key")])))
    where = config.copy()
    where["target_host"], where["namespace"] = service.address, service.namespace
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            client = await Client.connect(
                **where,
                data_converter=data_converter(secrets),
                identity=identity,
                runtime=runtime(verbose),
                keep_alive_config=KEEP_ALIVE,
            )
            await _find_namespace(client, service)
    except (RuntimeError, RPCError, TimeoutError) as error:
        raise await _explain(error, service, settings, config) from None
    return client, service


def refusal(error: RPCError, settings: Settings) -> UserError:
    """Return one line for a call that a connected service refused, with the reason if that is our disk."""
    if _service(settings, _connect_config()).is_dev_server and (problem := storage_problem()):
        return problem
    return ServiceUnavailable(f"The Temporal service cannot do that now: {error.message}")


def storage_problem() -> UserError | None:
    """Return why the local dev server cannot store anything; None where it can."""
    from research.temporal import devserver

    try:
        devserver.check_folder()
    except UserError as error:
        return error
    return None


@cache
def runtime(verbose: bool) -> Runtime:
    """Return the SDK's runtime, whose log shows errors only unless `verbose`."""
    level = TelemetryFilter(core_level="INFO" if verbose else "ERROR", other_level="ERROR")
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=level)))


async def _find_namespace(client: Client, service: Service) -> None:
    """Check that the namespace exists; on the dev server, register it if it does not."""
    request = DescribeNamespaceRequest(namespace=service.namespace)
    try:
        await client.workflow_service.describe_namespace(request)
    except RPCError as error:
        if not (service.is_dev_server and error.status == RPCStatusCode.NOT_FOUND):
            raise
        await _register_namespace(client, service.namespace)
    # Because the server remembers for a second that a new namespace did not exist.
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
    file = os.environ.get("TEMPORAL_CONFIG_FILE")
    if file and not Path(file).exists():  # the SDK would take it for an empty one
        raise UserError(f"TEMPORAL_CONFIG_FILE={file} does not exist: correct the path, or unset it.")
    try:
        return ClientConfig.load_client_connect_config()
    except (RuntimeError, ValueError, OSError) as error:
        raise UserError(f"Temporal's settings cannot be used: {error}") from None


def _service(settings: Settings, config: ClientConnectConfig) -> Service:
    address = config.get("target_host") or f"127.0.0.1:{settings.dev_server_port}"
    namespace = config.get("namespace") or "default"
    host, _, port = address.rpartition(":")
    ui_url = settings.ui_url
    if ui_url is None and host.endswith((".tmprl.cloud", ".api.temporal.io")):
        ui_url = "https://cloud.temporal.io"
    if ui_url is None and host in ("localhost", "127.0.0.1", "[::1]") and port.isdecimal():
        ui_url = f"http://localhost:{int(port) + 1000}"
    is_dev_server = not config.get("target_host") and not config.get("tls")
    return Service(address, namespace, ui_url, is_dev_server)


async def _explain(
    error: Exception, service: Service, settings: Settings, config: ClientConnectConfig
) -> UserError:
    """Return one line for a connection that failed, from what the SDK and the service say."""
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
    if not service.is_dev_server:
        return ServiceUnavailable(await _explain_address(error, address, config))
    from research.temporal import devserver

    port = settings.dev_server_port
    if problem := storage_problem():
        return problem
    if devserver.listens(port):
        return ServiceUnavailable(
            f"Another program holds port {port}, and it is not a Temporal service: stop it, or"
            f" set DEV_SERVER_PORT={port + 1} in .env for both worker and starter."
        )
    return ServiceUnavailable(
        f"The Temporal dev server on port {port} does not answer: run"
        " `python -m research.temporal.devserver start`."
    )


async def _explain_address(error: Exception, address: str, config: ClientConnectConfig) -> str:
    """Return what is wrong with an address, or with TLS there, and which setting says so."""
    has_tls = await _has_tls(address)
    tls = _tls_setting() if config.get("tls") else ""
    if tls and has_tls is False:
        right = "check" if config.get("target_host") else "set"
        return (
            f"{tls} asks for TLS, and what answers at {address} has none: unset {tls},"
            f" or {right} TEMPORAL_ADDRESS."
        )
    if has_tls and not tls:
        return f"The service at {address} asks for TLS: set TEMPORAL_TLS=true, or TEMPORAL_API_KEY."
    if has_tls and "certificate" in str(error).lower():
        return (
            f"TLS with {address} fails, because a certificate is not accepted: check TEMPORAL_ADDRESS and"
            " the TEMPORAL_TLS_… settings."
        )
    if not config.get("target_host"):
        return (
            f"No Temporal service answers at {address}, and none is started here because {tls} is set:"
            f" set TEMPORAL_ADDRESS, or unset {tls} to use the local dev server."
        )
    if not os.environ.get("TEMPORAL_ADDRESS"):
        return f"No Temporal service answers at {address}: check the address in Temporal's profile."
    return (
        f"No Temporal service answers at {address}: check TEMPORAL_ADDRESS and the network,"
        " or unset it to use the local dev server."
    )


def _tls_setting() -> str:
    """Return the variable that asks for TLS."""
    names = sorted(name for name, value in os.environ.items() if name.startswith("TEMPORAL_TLS") and value)
    if names:
        return names[0]
    return "TEMPORAL_API_KEY" if os.environ.get("TEMPORAL_API_KEY") else "Temporal's profile"


async def _has_tls(address: str) -> bool | None:
    """Return whether a TLS handshake with this address begins; None where nothing answers."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing is sent
    context.set_alpn_protocols(["h2"])
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port), ssl=context)
        writer.close()
    except ssl.SSLError as error:
        return error.reason not in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")
    except (OSError, ValueError, TimeoutError):
        return None
    return True
