"""A network that goes dark: a TCP proxy on 127.0.0.1 that then swallows every byte and closes nothing.

So does a cut cable, or a laptop whose lid is shut: neither side receives a FIN, an RST or the answer to
a ping, and both wait on connections that look open.
"""

import asyncio

from testing.background import Background

READ_BYTES = 1 << 16


class BlackHole(Background):
    """Passes connections on to a port of 127.0.0.1."""

    def __init__(self, target: int) -> None:
        super().__init__()
        self.target, self.port = target, 0
        self._is_dark = False
        self._lost: frozenset[asyncio.StreamWriter] = frozenset()
        self._writers: list[asyncio.StreamWriter] = []
        self._serving: set[asyncio.Task[None] | None] = set()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def go_dark(self) -> None:
        """Pass nothing on any more, in either direction; every connection stays open, new ones too."""
        self._is_dark = True

    def lose_connections(self) -> None:
        """Pass nothing on by the connections of now, as after a change of networks; new ones serve."""
        self._lost = frozenset(self._writers)

    def _passes(self, writer: asyncio.StreamWriter) -> bool:
        return not self._is_dark and writer not in self._lost

    async def serve(self) -> None:
        """Serve: see `Background`."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stop.wait()
        server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*filter(None, self._serving))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.add(asyncio.current_task())
        self._writers.append(writer)
        try:
            if self._is_dark:
                await self._pass_on(reader, writer)
                return
            answers, requests = await asyncio.open_connection("127.0.0.1", self.target)
            self._writers.append(requests)
            await asyncio.gather(self._pass_on(reader, requests), self._pass_on(answers, writer))
        except asyncio.CancelledError:  # accepted when this ended: nobody else closes it
            for each in self._writers:
                each.transport.abort()
            raise

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what is read, and its end; what leads nowhere is read too, or its sender would wait."""
        try:
            while data := await reader.read(READ_BYTES):
                if self._passes(writer):
                    writer.write(data)
        except ConnectionError:
            pass  # an end too
        if self._passes(writer):
            writer.close()
