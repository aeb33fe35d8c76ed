"""BlueZ on the system's message bus, as plain values: what both the central and the bare peripheral need."""

import asyncio

from dbus_fast import BusType, Message, MessageFlag, MessageType, Variant
from dbus_fast.aio import MessageBus

ADAPTER = "org.bluez.Adapter1"
DEVICE = "org.bluez.Device1"
CHARACTERISTIC = "org.bluez.GattCharacteristic1"
SERVICE = "org.bluez.GattService1"
ADVERTISEMENT = "org.bluez.LEAdvertisement1"
AGENT = "org.bluez.Agent1"
PROPERTIES = "org.freedesktop.DBus.Properties"
OBJECTS = "org.freedesktop.DBus.ObjectManager"


class BusError(Exception):
    """An error that was answered over the bus; its name is the first argument."""


def plain(value):
    """The value without the variants around it and what is in it."""
    if isinstance(value, Variant):
        return plain(value.value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


class Bus:
    """A connection to the system bus. Objects that it serves are functions by path and member: they get the message and return (signature, body[, fds])."""

    def __init__(self):
        self._served = {}
        self._bus = None

    async def connect(self):
        self._bus = await MessageBus(bus_type=BusType.SYSTEM, negotiate_unix_fd=True).connect()
        self._bus.add_message_handler(self._serve)
        return self

    async def powered(self, adapter, seconds=20):
        """Waits until the daemon has the adapter and has switched it on."""
        for _ in range(seconds * 10):
            try:
                if (await self.get(adapter, ADAPTER))["Powered"]:
                    return
            except BusError:
                pass
            await asyncio.sleep(0.1)
        raise TimeoutError(f"{adapter} is not powered")

    def close(self):
        self._bus.disconnect()

    async def call_whole(self, path, interface, member, signature="", *body, destination="org.bluez", seconds=30):
        message = Message(destination=destination, path=path, interface=interface, member=member, signature=signature, body=list(body))
        reply = await asyncio.wait_for(self._bus.call(message), seconds)
        if reply.message_type == MessageType.ERROR:
            raise BusError(reply.error_name, *reply.body)
        return reply

    async def call(self, path, interface, member, signature="", *body, **options):
        """Calls, and returns the values of the answer without variants."""
        return plain((await self.call_whole(path, interface, member, signature, *body, **options)).body)

    async def objects(self):
        return (await self.call("/", OBJECTS, "GetManagedObjects"))[0]

    async def get(self, path, interface):
        return (await self.call(path, PROPERTIES, "GetAll", "s", interface))[0]

    async def set(self, path, interface, name, signature, value):
        await self.call(path, PROPERTIES, "Set", "ssv", interface, name, Variant(signature, value))

    def serve(self, path, member, answer):
        self._served[path, member] = answer

    def _serve(self, message):
        answer = self._served.get((message.path, message.member)) if message.message_type == MessageType.METHOD_CALL else None
        if answer is None:
            return None
        try:
            signature, body, *fds = answer(message)
            return message.flags & MessageFlag.NO_REPLY_EXPECTED or Message.new_method_return(message, signature, body, *fds)
        except BusError as error:
            return Message.new_error(message, error.args[0], error.args[0])

    async def advertise(self, adapter, path, properties):
        """Serves an advertisement at the path and registers it with the adapter."""
        self.serve(path, "GetAll", lambda message: ("a{sv}", [properties]))
        self.serve(path, "Release", lambda message: ("", []))
        await self.call(adapter, "org.bluez.LEAdvertisingManager1", "RegisterAdvertisement", "oa{sv}", path, {})

    async def stop_advertising(self, adapter, path):
        await self.call(adapter, "org.bluez.LEAdvertisingManager1", "UnregisterAdvertisement", "o", path)

    async def be_agent(self, path, capability, default, asked=None):
        """Answers yes to everything about pairing. `asked` gets the member and the arguments of each question."""
        def yes(message):
            if asked:
                asked(message.member, message.body)
            return "", []

        for member in ("Release", "Cancel", "RequestConfirmation", "RequestAuthorization", "AuthorizeService", "DisplayPasskey"):
            self.serve(path, member, yes)
        await self.call("/org/bluez", "org.bluez.AgentManager1", "RegisterAgent", "os", path, capability)
        if default:
            await self.call("/org/bluez", "org.bluez.AgentManager1", "RequestDefaultAgent", "o", path)
