"""A program on a pseudo-terminal, and its screen as a person would see it."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pyte

from testing.processes import launch

CTRL_C = "\x03"


class Terminal:
    """Runs one program of the clone on a terminal of its own."""

    def __init__(
        self,
        *arguments: str,
        root: Path,
        environ: Mapping[str, str],
        columns: int = 80,
        rows: int = 40,
    ) -> None:
        self.raw = b""
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._news = threading.Condition()
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        env = {
            **os.environ,
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "COLUMNS": "",
            "LINES": "",
            **environ,
        }
        env = {name: value for name, value in env.items() if value}
        self.process = launch(arguments, root, env, slave, slave, slave, has_terminal=True)
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def screen(self) -> str:
        """What the screen shows now, without the blanks at the ends of lines."""
        with self._news:
            return "\n".join(line.rstrip() for line in self._screen.display).rstrip()

    @property
    def echoes(self) -> bool:
        """Whether the terminal shows what is typed, as a program must leave it."""
        return bool(termios.tcgetattr(self._master)[3] & termios.ECHO)

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def see(self, *words: str, seconds: float = 90) -> str:
        """Return the screen as soon as it shows all of these words at once."""
        return self.wait_until(lambda screen: all(word in screen for word in words), seconds, str(words))

    def wait_until(self, condition: Callable[[str], bool], seconds: float = 90, what: str = "") -> str:
        deadline = time.monotonic() + seconds
        while not condition(self.screen):
            over = not self._reader.is_alive() and not condition(self.screen)
            assert not over and time.monotonic() < deadline, f"{what} not seen on\n{self.screen}"
            with self._news:
                self._news.wait(0.1)
        return self.screen

    def exit_status(self, seconds: float = 120) -> int:
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it still runs:\n{self.screen}") from None
        self._reader.join(5)  # because its last words may be on their way
        return status

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(10)

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 65_536)
            except OSError:  # the program has ended
                return
            if not data:
                return
            with self._news:
                self.raw += data
                self._stream.feed(data)
                self._news.notify_all()
