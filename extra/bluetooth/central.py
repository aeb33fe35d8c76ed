#!/usr/bin/python3
"""Checks a peripheral at hci0 with a central at hci1, and prints a line for each check.

    central.py bare             what the bare peripheral has: proves the rig
    central.py encrypted TOKEN  the host as it is by default
    central.py legacy           the host as old clients need it: neither encryption nor tokens
"""

import asyncio
import sys

import bare
import product
from att import AttCentral, links_gone
from bus import ADAPTER, Bus
from checks import CENTRAL, PERIPHERAL, Checks, same
from daemon import DaemonCentral
from messages import Messages


class Rig:
    """The two adapters."""

    def __init__(self, bus, checks):
        self.bus, self.check = bus, checks.check

    async def begin(self):
        await self.bus.powered(PERIPHERAL)
        await self.bus.powered(CENTRAL)
        self.remote = (await self.bus.get(PERIPHERAL, ADAPTER))["Address"]
        self.local = (await self.bus.get(CENTRAL, ADAPTER))["Address"]
        await self.bus.set(CENTRAL, ADAPTER, "Pairable", "b", True)
        return self

    async def att(self, mtu, security=1):
        """A central of our own, once nothing is left of the last one."""
        await links_gone(1)
        return await AttCentral(self.local, self.remote).connect(mtu, security)

    async def forget(self):
        """Removes what each adapter knows of the other, bonds included."""
        for adapter, other in ((CENTRAL, self.remote), (PERIPHERAL, self.local)):
            path = f"{adapter}/dev_{other.replace(':', '_')}"
            if path in await self.bus.objects():
                await self.bus.call(adapter, ADAPTER, "RemoveDevice", "o", path)
        await links_gone(1)


async def bare_checks(rig, _):
    central = DaemonCentral(rig.bus, CENTRAL, rig.remote)
    messages = Messages(central)
    message = bytes(index * 7 % 251 for index in range(5000))

    async def reads():
        same((await messages.read(bare.TEXT)).decode(), bare.TEXT_VALUE)

    async def echoes():
        await messages.write(bare.ECHO, message)
        same(await messages.next(bare.NOTIFY), message)

    async def pairs():
        asked = []
        await rig.bus.be_agent("/central/agent", "DisplayYesNo", False, lambda member, arguments: asked.append(member))
        await central.pair()
        same(asked, ["RequestConfirmation"])
        same((await central.properties())["Paired"], True)

    async def finds():
        await central.find(PERIPHERAL, bare.SERVICE_UUID)

    if not await rig.check("is found by its advertisement", finds()):
        return
    if await rig.check("is connected to", central.connect()):
        await rig.check("text of several chunks is read", reads())
        await rig.check("notifications are subscribed to", messages.subscribe(bare.NOTIFY))
        await rig.check("a message beyond the MTU is answered whole", echoes())
        await rig.check("pairs by numeric comparison", pairs())
        await central.disconnect()
    await rig.check("is forgotten", rig.forget())

    for mtu in (23, 185, 517):
        async def with_mtu():
            nonlocal messages
            central = await rig.att(mtu)
            try:
                same(central.mtu, mtu)
                messages = Messages(central)
                await reads()
                await messages.subscribe(bare.NOTIFY)
                await echoes()
            finally:
                await central.disconnect()

        await rig.check(f"all of it with an MTU of {mtu}", with_mtu())


async def main(part, token=None):
    checks = Checks(part)
    rig = await Rig(await Bus().connect(), checks).begin()
    await {"bare": bare_checks, "encrypted": product.encrypted, "legacy": product.legacy}[part](rig, token)
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
