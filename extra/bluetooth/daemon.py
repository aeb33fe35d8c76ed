"""A central through BlueZ's daemon, as desktops have it: MTU 517, several bearers whose notifications may come in another order."""

import asyncio
import socket

from dbus_fast import Variant

from bus import CHARACTERISTIC, DEVICE

BEACON = "/central/beacon"


class DaemonCentral:
    """A device that an adapter sees, with its characteristics by UUID."""

    mtu = 517

    def __init__(self, bus, adapter, remote):
        self._bus, self.adapter = bus, adapter
        self.path = f"{adapter}/dev_{remote.replace(':', '_')}"
        self._paths = {}
        self._sockets = []

    async def find(self, peripheral, service, wanted=lambda device: True, seconds=20):
        """Scans until the device is seen with the service, and as it is wanted; returns its properties.

        The virtual controllers report an advertisement only when one is switched on. With a second one the kernel takes turns, and switches every 2 s.
        """
        await self._bus.advertise(peripheral, BEACON, {"Type": Variant("s", "peripheral"), "ManufacturerData": Variant("a{qv}", {0xFFFF: Variant("ay", b"beacon")})})
        try:
            await self._bus.call(self.adapter, "org.bluez.Adapter1", "SetDiscoveryFilter", "a{sv}", {"Transport": Variant("s", "le")})
            await self._bus.call(self.adapter, "org.bluez.Adapter1", "StartDiscovery")
            try:
                for _ in range(seconds * 10):
                    device = (await self._bus.objects()).get(self.path, {}).get(DEVICE, {})
                    if service in device.get("UUIDs", []) and wanted(device):
                        return device
                    await asyncio.sleep(0.1)
                raise TimeoutError(f"no advertisement of {service} was seen in {seconds} s: {device}")
            finally:
                await self._bus.call(self.adapter, "org.bluez.Adapter1", "StopDiscovery")
        finally:
            await self._bus.stop_advertising(peripheral, BEACON)

    async def properties(self):
        return await self._bus.get(self.path, DEVICE)

    async def connect(self, seconds=30):
        await self._bus.call(self.path, DEVICE, "Connect", seconds=seconds)
        # The daemon does not always signal it: ask.
        for _ in range(seconds * 10):
            if (await self.properties()).get("ServicesResolved"):
                break
            await asyncio.sleep(0.1)
        else:
            raise TimeoutError("the services were not resolved")
        self._paths = {
            interfaces[CHARACTERISTIC]["UUID"]: path
            for path, interfaces in (await self._bus.objects()).items()
            if path.startswith(self.path + "/") and CHARACTERISTIC in interfaces}

    async def pair(self):
        await self._bus.call(self.path, DEVICE, "Pair", seconds=40)

    async def flags(self, uuid):
        return (await self._bus.get(self._paths[uuid], CHARACTERISTIC))["Flags"]

    @property
    def characteristics(self):
        return set(self._paths)

    async def read(self, uuid):
        return bytes((await self._bus.call(self._paths[uuid], CHARACTERISTIC, "ReadValue", "a{sv}", {}))[0])

    async def write(self, uuid, value):
        await self._bus.call(self._paths[uuid], CHARACTERISTIC, "WriteValue", "aya{sv}", value, {"type": Variant("s", "request")})

    async def subscribe(self, uuid, hear):
        reply = await self._bus.call_whole(self._paths[uuid], CHARACTERISTIC, "AcquireNotify", "a{sv}", {})
        notifications = socket.socket(fileno=reply.unix_fds[0])
        notifications.setblocking(False)
        self._sockets.append(notifications)

        def readable():
            try:
                value = notifications.recv(1024)
            except BlockingIOError:
                return
            except OSError:
                value = b""
            if value:
                hear(value)
            else:
                asyncio.get_running_loop().remove_reader(notifications)

        asyncio.get_running_loop().add_reader(notifications, readable)

    async def disconnect(self):
        for notifications in self._sockets:
            asyncio.get_running_loop().remove_reader(notifications)
            notifications.close()
        self._sockets.clear()
        await self._bus.call(self.path, DEVICE, "Disconnect")

    async def forget(self):
        await self._bus.call(self.adapter, "org.bluez.Adapter1", "RemoveDevice", "o", self.path)
