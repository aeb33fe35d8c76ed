"""A central on a socket of the kernel's: the attribute protocol with one bearer and any MTU, as phones have it, with nothing of BlueZ's daemon in between."""

import asyncio
import ctypes
import fcntl
import os
import socket
import struct
import uuid as uuids

ATT_CHANNEL = 4
LE_PUBLIC = 1
SOL_BLUETOOTH, BT_SECURITY = 274, 4
HCIGETCONNLIST = 0x800448D4
NOT_FOUND = 0x0A
libc = ctypes.CDLL(None, use_errno=True)


class AttError(Exception):
    """An error of the attribute protocol; its code is the first argument."""


def long_uuid(value):
    if len(value) == 2:
        return f"0000{int.from_bytes(value, 'little'):04x}-0000-1000-8000-00805f9b34fb"
    return str(uuids.UUID(bytes=value[::-1]))


def address(text, channel):
    return struct.pack("<HH6sHBx", socket.AF_BLUETOOTH, 0, bytes.fromhex(text.replace(":", ""))[::-1], channel, LE_PUBLIC)


def links(index):
    """How many links the controller has."""
    with socket.socket(socket.AF_BLUETOOTH, socket.SOCK_RAW, socket.BTPROTO_HCI) as control:
        answer = fcntl.ioctl(control, HCIGETCONNLIST, struct.pack("<HH", index, 8) + bytes(8 * 16))
        return struct.unpack_from("<HH", answer)[1]


async def links_gone(index, seconds=10):
    """Waits for the end of the controller's links: a new connection would else get the old one's MTU and subscriptions."""
    for _ in range(seconds * 20):
        if links(index) == 0:
            return
        await asyncio.sleep(0.05)
    raise TimeoutError(f"hci{index} still has a link")


class AttCentral:
    """A connection to a peripheral, with its characteristics by UUID."""

    def __init__(self, local, remote):
        self._local, self._remote = local, remote
        self._heard = {}
        self._answers = asyncio.Queue()
        self._turn = asyncio.Lock()
        self.mtu = 23
        self.handles = {}

    async def connect(self, mtu, security=1):
        self._socket = socket.socket(socket.AF_BLUETOOTH, socket.SOCK_SEQPACKET, socket.BTPROTO_L2CAP)
        self._system("bind", address(self._local, ATT_CHANNEL))
        self._socket.setsockopt(SOL_BLUETOOTH, BT_SECURITY, bytes([security, 0]))
        try:
            await asyncio.get_running_loop().run_in_executor(None, self._system, "connect", address(self._remote, ATT_CHANNEL))
        except BaseException:
            self._socket.close()
            raise
        self._socket.setblocking(False)
        self._reader = asyncio.create_task(self._receive())
        if mtu > 23:
            self.mtu = max(23, min(mtu, struct.unpack_from("<H", await self.request(struct.pack("<BH", 0x02, mtu)), 1)[0]))
        await self._discover()
        return self

    def _system(self, name, sockaddr):
        if getattr(libc, name)(self._socket.fileno(), sockaddr, len(sockaddr)) < 0:
            code = ctypes.get_errno()
            raise OSError(code, f"{name}: {os.strerror(code)}")

    async def _receive(self):
        loop = asyncio.get_running_loop()
        try:
            while packet := await loop.sock_recv(self._socket, 1024):
                await self._take(packet)
        except OSError:
            pass
        self._answers.put_nowait(b"")

    async def _take(self, packet):
        operation = packet[0]
        if operation in (0x1B, 0x1D):
            self._notified(packet[1:3], packet[3:])
            if operation == 0x1D:
                await self._send(b"\x1e")
        elif operation == 0x23:
            rest = packet[1:]
            while rest:
                length = struct.unpack_from("<H", rest, 2)[0]
                self._notified(rest[:2], rest[4:4 + length])
                rest = rest[4 + length:]
        elif operation == 0x02:
            # The server's own client asks too: it is told our MTU, and that there is nothing here.
            await self._send(struct.pack("<BH", 0x03, 517))
        elif operation % 2 == 1 and operation < 0x1B:
            self._answers.put_nowait(packet)
        elif operation < 0x40:
            await self._send(struct.pack("<BBHB", 0x01, operation, 1 if len(packet) < 3 else struct.unpack_from("<H", packet, 1)[0], NOT_FOUND))

    def _notified(self, handle, value):
        hear = self._heard.get(handle)
        if hear:
            hear(bytes(value))

    async def _send(self, packet):
        await asyncio.get_running_loop().sock_sendall(self._socket, packet)

    async def request(self, packet, seconds=30):
        async with self._turn:
            await self._send(packet)
            answer = await asyncio.wait_for(self._answers.get(), seconds)
        if not answer:
            raise ConnectionError("the link has ended")
        if answer[0] == 0x01:
            raise AttError(answer[4])
        return answer

    async def _list(self, operation, start, end, more=b""):
        """The entries of a request that is repeated from behind its last answer on, each with its handle first."""
        while start <= end:
            try:
                answer = await self.request(struct.pack("<BHH", operation, start, end) + more)
            except AttError as error:
                if error.args[0] == NOT_FOUND:
                    return
                raise
            size = answer[1] if operation == 0x08 else (4 if answer[1] == 1 else 18)
            for place in range(2, len(answer), size):
                entry = answer[place:place + size]
                start = struct.unpack_from("<H", entry)[0] + 1
                yield start - 1, entry[2:]

    async def _discover(self):
        declared = [(handle, struct.unpack_from("<H", entry, 1)[0], long_uuid(entry[3:])) async for handle, entry in self._list(0x08, 1, 0xFFFF, b"\x03\x28")]
        self._ends = {}
        for number, (_, value, uuid) in enumerate(declared):
            self.handles[uuid] = value
            self._ends[uuid] = declared[number + 1][0] - 1 if number + 1 < len(declared) else 0xFFFF

    async def read(self, uuid):
        handle = self.handles[uuid]
        value = part = (await self.request(struct.pack("<BH", 0x0A, handle)))[1:]
        while len(part) == self.mtu - 1 and len(value) < 512:
            part = (await self.request(struct.pack("<BHH", 0x0C, handle, len(value))))[1:]
            value += part
        return value

    async def write(self, uuid, value):
        handle = self.handles[uuid]
        if len(value) <= self.mtu - 3:
            await self.request(struct.pack("<BH", 0x12, handle) + value)
            return
        for offset in range(0, len(value), self.mtu - 5):
            await self.request(struct.pack("<BHH", 0x16, handle, offset) + value[offset:offset + self.mtu - 5])
        await self.request(b"\x18\x01")

    async def command(self, uuid, value):
        await self._send(struct.pack("<BH", 0x52, self.handles[uuid]) + value)

    async def subscribe(self, uuid, hear):
        handle = self.handles[uuid]
        self._heard[struct.pack("<H", handle)] = hear
        async for descriptor, kind in self._list(0x04, handle + 1, self._ends[uuid]):
            if kind == b"\x02\x29":
                await self.request(struct.pack("<BHH", 0x12, descriptor, 1))
                return
        raise LookupError(f"{uuid} does not notify")

    async def disconnect(self):
        self._reader.cancel()
        self._socket.close()
