"""What the program makes of .env and the environment, and the line for each wrong setting."""

import json
from pathlib import Path

import pytest

from research import config
from research.errors import UserError
from testing.processes import Program
from tests.conftest import KEY, DevServer


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


def test_settings_do_not_show_the_key() -> None:
    assert KEY not in repr(config.read({"LLM_API_KEY": KEY}))


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        (
            {"LLM_MODEL": "nobody/knows", "LLM_API_KEY": KEY},
            "LLM_MODEL=nobody/knows names no provider that litellm knows: write it as provider/model,",
        ),
        (
            {"LLM_MODEL": "anthropic/claude-sonnet-4-5"},
            "LLM_MODEL=anthropic/claude-sonnet-4-5 needs a key: set LLM_API_KEY or ANTHROPIC_API_KEY",
        ),
        ({"LLM_API_KEY": "YOUR_API_KEY"}, "LLM_API_KEY (from the environment) is a placeholder"),
    ],
)
def test_the_worker_says_what_to_set(
    clone: Path, server: DevServer, environ: dict[str, str], line: str
) -> None:
    """One line at the worker's start, exit status 2, no traceback."""
    with Program("worker.py", root=clone, environ={**server.environ, **environ}) as worker:
        assert worker.exit_status() == 2
    assert worker.lines[-1].startswith(line) or any(said.startswith(line) for said in worker.lines)
    assert "Traceback" not in worker.text
    assert KEY not in worker.text
