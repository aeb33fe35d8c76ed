"""Messages in chunks over a central's characteristics."""

import asyncio

from chunks import PREPARED, WRITE, Assembler, cut, parse


class Messages:
    """What is written is cut, what is notified is put together."""

    def __init__(self, central, value=None):
        self._central = central
        self._value = value or (WRITE if central.mtu >= WRITE + 3 else PREPARED)
        self._heard = {}

    async def write(self, uuid, message):
        for chunk in cut(message, self._value):
            await self._central.write(uuid, chunk)

    async def read(self, uuid):
        """The whole value: the first chunk says how many reads there are."""
        assembler = Assembler()
        whole = assembler.add(chunk := await self._central.read(uuid))
        for _ in range(parse(chunk)[1]):
            whole = assembler.add(await self._central.read(uuid))
        return whole

    async def subscribe(self, uuid):
        assembler, queue = Assembler(), asyncio.Queue()
        self._heard[uuid] = queue

        def hear(value):
            whole = assembler.add(value)
            if whole is not None:
                queue.put_nowait(whole)

        await self._central.subscribe(uuid, hear)

    async def next(self, uuid, seconds=20):
        return await asyncio.wait_for(self._heard[uuid].get(), seconds)
