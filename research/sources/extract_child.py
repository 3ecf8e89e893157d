"""The process that reads foreign documents: a crash in a library costs a document, never the worker.

python -m research.sources.extract_child     requests on stdin, answers on stdout, until stdin is closed

A request is a line of JSON, {"kind", "content_type", "name", "size", "seconds"}, and then `size` bytes. The
answer is the line {"begun": true} when the library is loaded, and then a line of JSON: the fields of
Extracted, or {"reason": …}; with "last": true this process ends itself after it.
"""

import json
import math
import os
import queue
import re
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from research.sources.extracted import (
    CRASHED,
    MAX_TEXT_BYTES,
    NO_TEXT,
    TOO_MUCH_MEMORY,
    Extracted,
    Unreadable,
)
from research.sources.tidying import has_words, one_line, truncate, without_references

try:
    import resource
except ImportError:  # on Windows
    resource = None  # type: ignore[assignment]

_PEAK = re.compile(r"^VmHWM:\s*(\d+) kB", re.MULTILINE)

Reader = Callable[[bytes, str, str], Extracted]

MAX_MEMORY_BYTES = 1_000_000_000
"""Of addresses, where the system limits them (Linux)."""
MAX_KEPT_MEMORY_BYTES = 250_000_000
"""A process that has needed more ends itself, because Python seldom gives memory back."""
MAX_DOCUMENTS = 100
"""Then this process ends itself, with whatever the libraries have leaked."""
IDLE_SECONDS = 30.0
"""Then this process ends itself, so that an idle worker has its memory."""

READERS: Mapping[str, tuple[str, str]] = {
    "html": ("read_html", "read_html"),
    "text": ("read_text", "read_text"),
    "markdown": ("read_text", "read_markdown"),
    "json": ("read_text", "read_json"),
    "pdf": ("read_pdf", "read_pdf"),
    "printed": ("read_pdf", "read_printed"),
    "docx": ("read_docx", "read_docx"),
}
"""The module and function for each kind; modules are loaded by the first document of their kind."""


def main(find: Callable[[str], Reader] | None = None) -> None:
    """Answer requests until stdin is closed, none has come for a while, or a new process is due."""
    answers = _claim_stdout()
    _limit_memory()
    requests: queue.Queue[tuple[dict[str, Any], bytes]] = queue.Queue()
    threading.Thread(target=_receive, args=(sys.stdin.buffer, requests), daemon=True).start()
    for count in range(1, MAX_DOCUMENTS + 1):
        try:
            request, content = requests.get(timeout=IDLE_SECONDS)
        except queue.Empty:
            break
        answer = _answer(request, content, find or find_reader, answers)
        answer["last"] = bool(answer.get("last")) or count == MAX_DOCUMENTS or _peak() > MAX_KEPT_MEMORY_BYTES
        _send(answers, answer)
        if answer["last"]:
            break
    os._exit(0)  # because the other thread waits for stdin


def find_reader(kind: str) -> Reader:
    """Return the function that reads documents of a kind."""
    module, function = READERS[kind]
    reader: Reader = getattr(import_module(f"research.sources.{module}"), function)
    return reader


def _claim_stdout() -> IO[bytes]:
    """Return the pipe for the answers; what a library prints goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return answers


def _receive(stdin: IO[bytes], requests: "queue.Queue[tuple[dict[str, Any], bytes]]") -> None:
    """Receive requests, and end the process in the middle of any work when nobody is there to answer to."""
    with suppress(Exception):
        while line := stdin.readline():
            request = json.loads(line)
            content = stdin.read(request["size"])
            if len(content) < request["size"]:
                break
            requests.put((request, content))
            del content
    os._exit(0)


def _answer(
    request: Mapping[str, Any], content: bytes, find: Callable[[str], Reader], answers: IO[bytes]
) -> dict[str, Any]:
    try:
        read = find(request["kind"])
        _send(answers, {"begun": True})
        _limit_cpu(request["seconds"])
        found = read(content, request["content_type"], request["name"])
        return asdict(found if request["kind"] == "printed" else finish(found, request["name"]))
    except Unreadable as error:
        return {"reason": error.reason}
    except MemoryError:
        return {"reason": TOO_MUCH_MEMORY, "last": True}
    except Exception as error:
        return {"reason": f"{CRASHED} ({type(error).__name__})", "last": True}


def finish(found: Extracted, name: str = "") -> Extracted:
    """Return what was read without its own list of references, within the limits.

    Raises:
        Unreadable: no text is left.
    """
    text, pages = without_references(found.text, found.pages)
    if not has_words(text):
        raise Unreadable(NO_TEXT)
    kept = truncate(text, MAX_TEXT_BYTES)
    return replace(
        found,
        text=kept,
        title=found.title or ("" if "://" in name else one_line(Path(name).stem)),
        language=found.language[:35],
        pages=tuple(page for page in pages if page <= len(kept)),
        truncated=found.truncated or len(kept) < len(text),
    )


def _send(answers: IO[bytes], answer: Mapping[str, Any]) -> None:
    answers.write(json.dumps(answer, ensure_ascii=False).encode(errors="replace") + b"\n")
    answers.flush()


def _limit_memory() -> None:
    """Bound what a hostile document can take: memory, and the disk for a core dump."""
    if resource is None:
        return
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(ValueError, OSError):  # macOS refuses it
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    with suppress(OSError):  # where memory runs out, the system is to end this process and not the worker
        Path("/proc/self/oom_score_adj").write_text("1000")


def _limit_cpu(seconds: float) -> None:
    """Let the system end this process when a document has taken so many seconds of CPU from now on."""
    if resource is None:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    with suppress(ValueError, OSError):
        resource.setrlimit(
            resource.RLIMIT_CPU, (math.ceil(used.ru_utime + used.ru_stime + seconds) + 1, hard)
        )


def _peak() -> int:
    """Return the most memory that this process has had, in bytes; 0 where the system does not say.

    Not by getrusage, whose number begins with the memory of the worker that has started this process.
    """
    with suppress(OSError):
        found = _PEAK.search(Path("/proc/self/status").read_text())
        return int(found[1]) * 1024 if found else 0
    return 0


if __name__ == "__main__":
    main()
