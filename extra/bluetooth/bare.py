#!/usr/bin/python3
"""A bare peripheral, as little as BlueZ needs: what the rig is proved with, and the yardstick for how fast a link can be.

    bare.py ADAPTER [--agent]

Its service has a text to read, a characteristic that answers what is written to it, one that ignores it, and one that notifies. All but the ignored is in
chunks. The message {"count": N, "size": BYTES} is answered by so many notifications without chunks. Prints a line when it is ready.
"""

import asyncio
import json
import os
import socket
import sys

from dbus_fast import Variant

from bus import CHARACTERISTIC, SERVICE, Bus, BusError
from chunks import Assembler, cut

SERVICE_UUID = "ba5e0000-1234-1234-1234-123456789aaa"
TEXT, ECHO, SINK, NOTIFY = (f"ba5e000{digit}-1234-1234-1234-123456789aaa" for digit in "1234")
TEXT_VALUE = "".join(f"line {number} of a text that takes more than two chunks\n" for number in range(30))


class Peripheral:
    def __init__(self, bus):
        self._bus = bus
        self._assembler = Assembler()
        self._reads = []
        self._reading = b""
        self._notify = None
        self._work = asyncio.Queue()

    def serve(self):
        characteristics = [(TEXT, ["read"]), (ECHO, ["write", "write-without-response"]), (SINK, ["write", "write-without-response"]), (NOTIFY, ["notify"])]
        objects = {"/bare/service": {SERVICE: {"UUID": Variant("s", SERVICE_UUID), "Primary": Variant("b", True)}}}
        for number, (uuid, flags) in enumerate(characteristics):
            objects[f"/bare/service/char{number}"] = {CHARACTERISTIC: {
                "UUID": Variant("s", uuid), "Service": Variant("o", "/bare/service"), "Flags": Variant("as", flags),
                **({"NotifyAcquired": Variant("b", False)} if "notify" in flags else {})}}
        self._bus.serve("/bare", "GetManagedObjects", lambda message: ("a{oa{sa{sv}}}", [objects]))
        self._bus.serve("/bare/service/char0", "ReadValue", self._read)
        self._bus.serve("/bare/service/char1", "WriteValue", self._echo)
        self._bus.serve("/bare/service/char2", "WriteValue", lambda message: ("", []))
        self._bus.serve("/bare/service/char3", "AcquireNotify", self._acquire)

    def _read(self, message):
        offset = message.body[0]["offset"].value if "offset" in message.body[0] else 0
        if offset == 0:
            self._reads = self._reads or cut(TEXT_VALUE.encode(), 512)
            self._reading = self._reads.pop(0)
        if offset > len(self._reading):
            raise BusError("org.bluez.Error.InvalidOffset")
        return "ay", [self._reading[offset:]]

    def _echo(self, message):
        whole = self._assembler.add(bytes(message.body[0]))
        if whole is not None:
            self._work.put_nowait(whole)
        return "", []

    def _acquire(self, message):
        if self._notify:
            self._notify.close()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        mtu = message.body[0]["mtu"].value
        self._notify, self._mtu = ours, mtu
        fd = os.dup(theirs.fileno())
        theirs.close()
        asyncio.get_running_loop().call_later(1, os.close, fd)
        return "hq", [0, mtu], [fd]

    async def run(self):
        while True:
            message = await self._work.get()
            try:
                order = json.loads(message)
            except ValueError:
                order = None
            if isinstance(order, dict) and "count" in order:
                values = (index.to_bytes(4, "little").ljust(order["size"], b".") for index in range(order["count"]))
            else:
                values = cut(message, min(self._mtu - 5, 500))
            loop = asyncio.get_running_loop()
            try:
                for value in values:
                    await loop.sock_sendall(self._notify, value)
            except OSError as error:
                print(f"bare: {error}", file=sys.stderr)


async def main(adapter, *options):
    bus = await Bus().connect()
    path = f"/org/bluez/{adapter}"
    peripheral = Peripheral(bus)
    peripheral.serve()
    await bus.powered(path)
    if "--agent" in options:
        await bus.be_agent("/bare/agent", "DisplayYesNo", True)
        await bus.set(path, "org.bluez.Adapter1", "Pairable", "b", True)
    await bus.call(path, "org.bluez.GattManager1", "RegisterApplication", "oa{sv}", "/bare", {})
    await bus.advertise(path, "/bare/advertisement", {"Type": Variant("s", "peripheral"), "ServiceUUIDs": Variant("as", [SERVICE_UUID])})
    print("ready", flush=True)
    await peripheral.run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
