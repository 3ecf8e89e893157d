"""What the program makes of .env and the environment, and the line for each wrong setting."""

import json
import socket
import ssl
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

import worker
from research import config
from research.errors import UserError
from research.temporal import binary
from research.temporal.client import connect
from testing.app import DevServer, free_port
from testing.inside import settings_of
from testing.processes import Program
from tests.conftest import KEY


def test_nothing_configured_means_the_sample_model() -> None:
    settings = config.read({})
    assert (settings.model, settings.is_sample, settings.api_key) == ("sample/report", True, None)
    assert settings.reports_dir == config.ROOT / "reports"
    assert settings.sources["LLM_MODEL"] == "default"


@pytest.mark.parametrize("name", ["LLM_API_KEY", "OPENAI_API_KEY"])
def test_a_key_alone_means_the_default_model(name: str) -> None:
    assert config.read({name: KEY}).model == "openai/gpt-4o"


def test_values_come_from_dotenv(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(f'LLM_MODEL="anthropic/claude-x"\nexport LLM_API_KEY={KEY} # mine\nREPORTS_DIR=/x/y\n')
    settings = config.read({}, config.read_dotenv(dotenv))
    assert (settings.model, settings.api_key) == ("anthropic/claude-x", KEY)
    assert settings.reports_dir == Path("/x/y")
    assert settings.sources["LLM_MODEL"] == ".env"
    assert KEY in settings.secrets


def test_the_environment_wins_over_dotenv() -> None:
    settings = config.read(
        {"LLM_MODEL": "openai/from-environment", "REPORTS_DIR": "", "LLM_API_KEY": KEY},
        {"LLM_MODEL": "openai/from-file", "REPORTS_DIR": "from-file"},
    )
    assert settings.model == "openai/from-environment"
    assert settings.sources["LLM_MODEL"] == "environment"
    assert Path(settings.reports_dir).name == "from-file"


def test_a_providers_own_variable_reaches_the_provider(clone: Path) -> None:
    """litellm and temporalio read the environment themselves, so .env is put there."""
    (clone / ".env").write_text("ANTHROPIC_API_KEY=from-file\nTEMPORAL_ADDRESS=example.test:7233\n")
    show = "import json, os; from research import config; config.load(); print(json.dumps(dict(os.environ)))"
    with Program("-c", show, root=clone, environ={"TEMPORAL_ADDRESS": "from-environment:7233"}) as program:
        assert program.exit_status() == 0, program.text
    environ = json.loads(program.text)
    assert environ["ANTHROPIC_API_KEY"] == "from-file"
    assert environ["TEMPORAL_ADDRESS"] == "from-environment:7233"


def test_reading_settings_changes_nothing() -> None:
    environ, dotenv = {"LLM_MODEL": "a/b"}, {"LLM_API_KEY": KEY}
    config.read(environ, dotenv)
    assert (environ, dotenv) == ({"LLM_MODEL": "a/b"}, {"LLM_API_KEY": KEY})


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("LLM_API_BASE", "localhost:8000", "LLM_API_BASE (from the environment) must be an http://"),
        ("TEMPORAL_UI_URL", "file:///x", "TEMPORAL_UI_URL (from the environment) must be an http://"),
        ("DEV_SERVER_PORT", "x", "DEV_SERVER_PORT (from the environment) must be a number from 1 to 64535."),
        ("PAGE_SIZE", "a5", "PAGE_SIZE (from the environment) must be letter or a4."),
        ("LLM_MAX_STREAMS", "-1", "LLM_MAX_STREAMS (from the environment) must be a number from 0 to 10000."),
        ("LLM_MAX_CALLS", "0", "LLM_MAX_CALLS (from the environment) must be a number from 1 to 10000."),
        ("LLM_API_KEY", "YOUR_API_KEY", "LLM_API_KEY (from the environment) is a placeholder, not a key"),
        ("OPENAI_API_KEY", "sk-...", "OPENAI_API_KEY (from the environment) is a placeholder"),
        ("LLM_API_KEY", "<your key>", "LLM_API_KEY (from the environment) is a placeholder"),
        ("LLM_API_KEY", "sk-schlüssel", "LLM_API_KEY (from the environment) is a placeholder"),
    ],
)
def test_a_value_that_cannot_be_used(name: str, value: str, line: str) -> None:
    with pytest.raises(UserError) as error:
        config.read({name: value})
    assert str(error.value).startswith(line)
    assert "\n" not in str(error.value)


def test_a_placeholder_that_is_not_used_is_no_concern() -> None:
    assert config.read({"OPENAI_API_KEY": "YOUR_API_KEY", "LLM_MODEL": "sample/report"}).is_sample


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"LLM_MODEL=a/b\nwhat is this?\n", ", line 2: not of the form NAME=value."),
        (b"\xff\xfe\x00", ": it is not UTF-8 text. Fix or remove that file."),
    ],
)
def test_a_dotenv_that_cannot_be_read(tmp_path: Path, content: bytes, line: str) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_bytes(content)
    with pytest.raises(UserError) as error:
        config.read_dotenv(dotenv)
    assert str(error.value).endswith(line)
    assert str(dotenv) in str(error.value)


def test_the_model_that_reads() -> None:
    """It has the writer's key and address where it is of the same provider, and else its own variable's."""
    same = config.read({"LLM_API_KEY": KEY, "LLM_READER_MODEL": "openai/gpt-4o-mini"}).for_reading()
    assert (same.model, same.api_key) == ("openai/gpt-4o-mini", KEY)
    base = {"LLM_MODEL": "ollama/llama3.2", "LLM_API_BASE": "http://127.0.0.1:11434"}
    other = config.read({**base, "LLM_READER_MODEL": "openai/gpt-4o"}).for_reading()
    assert (other.api_key, other.api_base, other.store) == (None, None, "no")
    assert config.read({"LLM_API_KEY": KEY}).for_reading().model == "openai/gpt-4o"


def test_settings_do_not_show_the_key() -> None:
    assert KEY not in repr(config.read({"LLM_API_KEY": KEY}))


UNUSABLE = [
    (
        {"LLM_MODEL": "nobody/knows", "LLM_API_KEY": KEY},
        "LLM_MODEL=nobody/knows names no provider that litellm knows: write it as provider/model,",
    ),
    (
        {"LLM_MODEL": "anthropic/claude-sonnet-4-5"},
        "LLM_MODEL=anthropic/claude-sonnet-4-5 needs a key: set LLM_API_KEY or ANTHROPIC_API_KEY",
    ),
    (
        {"LLM_READER_MODEL": "anthropic/claude-sonnet-4-5", "LLM_API_KEY": KEY},
        "LLM_READER_MODEL=anthropic/claude-sonnet-4-5 needs a key: set ANTHROPIC_API_KEY in .env",
    ),
    (
        {"LLM_READER_MODEL": "openai/of-my-own", "LLM_API_KEY": KEY, "LLM_MAX_COST": "1"},
        "LLM_MAX_COST cannot be kept: there is no price for LLM_READER_MODEL=openai/of-my-own.",
    ),
    ({"REPORTS_DIR": "nope://bucket/x"}, "REPORTS_DIR: nope:// is not supported. To fix: "),
    ({"SEARCH_PROVIDER": "no-such"}, "SEARCH_PROVIDER=no-such names no search provider"),
]


@pytest.mark.parametrize(
    ("environ", "line"),
    [UNUSABLE[0], ({"LLM_API_KEY": "YOUR_API_KEY"}, "LLM_API_KEY (from the environment) is a placeholder")],
)
def test_the_worker_says_what_to_set(
    clone: Path, server: DevServer, environ: dict[str, str], line: str
) -> None:
    """One line at the worker's start, exit status 2, no traceback."""
    with Program("worker.py", root=clone, environ={**server.environ, **environ}) as started:
        assert started.exit_status() == 2
    assert any(said.startswith(line) for said in started.lines)
    assert "Traceback" not in started.text
    assert KEY not in started.text


@pytest.mark.parametrize(("environ", "line"), UNUSABLE)
def test_what_a_worker_checks_while_it_polls(environ: dict[str, str], line: str) -> None:
    with settings_of(environ) as settings, pytest.raises(UserError) as refused:
        worker._load(settings)
    assert str(refused.value).startswith(line)


TLS_FREE = "asks for TLS, and what answers at {address} has none: unset {name}, or {what} TEMPORAL_ADDRESS."


@pytest.mark.parametrize(
    ("name", "value"),
    [("TEMPORAL_TLS", "true"), ("TEMPORAL_API_KEY", KEY), ("TEMPORAL_TLS_SERVER_NAME", "a.b")],
)
async def test_tls_for_a_service_without(server: DevServer, name: str, value: str) -> None:
    """The line names the setting that asks for TLS, and TEMPORAL_ADDRESS as what it is: set, or not."""
    address = f"127.0.0.1:{server.port}"
    for what, environ in (("set", server.environ), ("check", {"TEMPORAL_ADDRESS": address})):
        line = await _refusal({name: value, **environ})
        assert line == f"{name} " + TLS_FREE.format(address=address, name=name, what=what)
    port = str(free_port())
    line = await _refusal({name: value, "DEV_SERVER_PORT": port})
    assert line == (
        f"No Temporal service answers at 127.0.0.1:{port}, and none is started here because {name} is set:"
        f" set TEMPORAL_ADDRESS, or unset {name} to use the local dev server."
    )


async def test_a_service_with_tls(tmp_path: Path) -> None:
    """One that is asked without it, and one whose certificate nobody has signed."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    made += ["-keyout", str(key), "-out", str(certificate), "-days", "1", "-subj", "/CN=localhost"]
    subprocess.run([*made, "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["h2"])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"localhost:{listener.getsockname()[1]}"
        threading.Thread(target=_accept, args=(listener, context), daemon=True).start()
        plain = await _refusal({"TEMPORAL_ADDRESS": address})
        unknown = await _refusal({"TEMPORAL_ADDRESS": address, "TEMPORAL_TLS": "true"})
    assert plain == f"The service at {address} asks for TLS: set TEMPORAL_TLS=true, or TEMPORAL_API_KEY."
    assert unknown.startswith(f"TLS with {address} fails, because a certificate is not accepted: check ")


def _accept(listener: socket.socket, context: ssl.SSLContext) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.settimeout(2)
                context.wrap_socket(connection, server_side=True).close()


async def test_an_address_that_nobody_answers_at(tmp_path: Path) -> None:
    """TEMPORAL_ADDRESS is named where it is set, a profile where that has the address."""
    address = f"127.0.0.1:{free_port()}"
    assert await _refusal({"TEMPORAL_ADDRESS": address}) == (
        f"No Temporal service answers at {address}: check TEMPORAL_ADDRESS and the network,"
        " or unset it to use the local dev server."
    )
    profile = tmp_path / "temporal.toml"
    profile.write_text(f'[profile.default]\naddress = "{address}"\n')
    line = await _refusal({"TEMPORAL_CONFIG_FILE": str(profile)})
    assert line == f"No Temporal service answers at {address}: check the address in Temporal's profile."


async def test_a_configuration_file_that_is_not_there() -> None:
    """No server is started in its place."""
    port = free_port()
    line = await _refusal({"DEV_SERVER_PORT": str(port), "TEMPORAL_CONFIG_FILE": "/not/there.toml"}, 2)
    assert line == "TEMPORAL_CONFIG_FILE=/not/there.toml does not exist: correct the path, or unset it."
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port)).close()


async def _refusal(environ: dict[str, str], status: int = 3) -> str:
    """What worker and starter print where they cannot connect, before they end with this status."""
    with settings_of(environ) as settings, pytest.raises(UserError) as refused:
        await connect(settings, pytest.fail)
    assert refused.value.exit_status == status
    line = str(refused.value)
    assert "\n" not in line
    assert "unset it" not in line or "TEMPORAL_ADDRESS" in environ or "TEMPORAL_CONFIG_FILE" in environ
    return line


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.usefixtures("cold_starts")
def test_the_server_gets_no_key(own_server: DevServer) -> None:
    """Neither of the environment nor of .env, nor anything else that it does not need."""
    (own_server.root / ".env").write_text(f"TAVILY_API_KEY={KEY}1\nAWS_SECRET_ACCESS_KEY={KEY}2\n")
    keys = {"LLM_API_KEY": KEY, "OPENAI_API_KEY": f"{KEY}3", "FSSPEC_SFTP_PASSWORD": f"{KEY}4"}
    own_server.environ.update(keys)
    started = own_server.run("start")
    assert started.returncode == 0, started.stderr
    environ = Path(f"/proc/{own_server.pid}/environ").read_bytes().decode().strip("\0").split("\0")
    assert {variable.partition("=")[0] for variable in environ} <= {*binary.ENVIRON}
    assert KEY not in "".join(environ)
