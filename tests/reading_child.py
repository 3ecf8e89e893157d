"""A process like research.sources.extract_child, with kinds of documents that do what no test can wait for.

python -m tests.reading_child
"""

import ctypes
import os
import resource
import signal
import sys
import threading
import time

from research.sources import extract_child
from research.sources.extracted import Extracted


def find(kind: str) -> extract_child.Reader:
    return KINDS[kind] if kind in KINDS else extract_child.find_reader(kind)


def hang(content: bytes, content_type: str, name: str) -> Extracted:
    while True:
        time.sleep(0.01)


def spin(content: bytes, content_type: str, name: str) -> Extracted:
    """Take CPU, and let no other thread have any."""
    sys.setswitchinterval(1_000)
    while True:
        pass


def crash(content: bytes, content_type: str, name: str) -> Extracted:
    return Extracted(str(ctypes.string_at(0)))


def fail(content: bytes, content_type: str, name: str) -> Extracted:
    raise AttributeError("a defect")


def stop(content: bytes, content_type: str, name: str) -> Extracted:
    os.kill(os.getpid(), signal.SIGSTOP)
    return Extracted("stopped")


def grow(content: bytes, content_type: str, name: str) -> Extracted:
    kept: list[object] = []
    while len(kept) < 200:  # 20 GB, none of it touched, so that a missing limit harms no machine
        kept.append(bytes(100_000_000))
    return Extracted("it has grown")


def shout(content: bytes, content_type: str, name: str) -> Extracted:
    """Print where the answers go, as libraries in C do."""
    os.write(1, b'{"text": "not the answer", "pages": []}\n')
    print("and more", flush=True)
    return Extracted("the answer")


def facts(content: bytes, content_type: str, name: str) -> Extracted:
    cores = resource.getrlimit(resource.RLIMIT_CORE)
    return Extracted(f"{os.getpid()} {sorted(os.environ)} {os.environ} core {cores}")


def leave(content: bytes, content_type: str, name: str) -> Extracted:
    """Be read, and end the process a little later, as an idle one does."""
    threading.Timer(0.2, os._exit, [0]).start()
    return Extracted("left")


def slow(content: bytes, content_type: str, name: str) -> Extracted:
    """A page for which trafilatura takes longer than it may."""
    import trafilatura

    from research.sources import read_html

    def extract(*args: object, **kwargs: object) -> str:
        while True:
            pass

    trafilatura.extract = extract
    read_html.MAIN_SECONDS = 0.3
    return read_html.read_html(content, content_type, name)


KINDS: dict[str, extract_child.Reader] = {
    reader.__name__: reader for reader in (hang, spin, crash, fail, stop, grow, shout, facts, leave, slow)
}

if __name__ == "__main__":
    if len(sys.argv) > 1:
        extract_child.IDLE_SECONDS = float(sys.argv[1])
    extract_child.main(find)
