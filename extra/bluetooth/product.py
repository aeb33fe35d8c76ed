"""Checks of the host: what a client of it sees through the air."""

import asyncio
import json
import subprocess
import uuid as uuids

from att import AttError
from bus import DEVICE
from checks import CENTRAL, PERIPHERAL, same
from chunks import header
from daemon import DaemonCentral
from messages import Messages

NAME = "furtherlink-test"
SERVICE = "12341000-1234-1234-1234-123456789aaa"
INFORMATION = "0000180a-0000-1000-8000-00805f9b34fb"
UNENCRYPTED = (0x05, 0x0F)


def of(end):
    return SERVICE[:-3] + end


STATUS, CLIENTS, VERSION, WRITE_TEST = of("aba"), of("afa"), of("aca"), of("aab")
APT_ANSWER, APT, UPLOAD_ANSWER, UPLOAD, RUN_ANSWER, RUN = of("ada"), of("adb"), of("bba"), of("bca"), of("cba"), of("cca")


class Runs:
    """A client of the run characteristics, which picks its own of what everybody hears."""

    def __init__(self, messages):
        self._messages = messages
        self.client = str(uuids.uuid4())

    async def send(self, kind, process=None, **data):
        await self._messages.write(RUN, json.dumps({"type": kind, "client": self.client, "process": process, "data": data}).encode())

    async def next(self, *kinds, seconds=20):
        """The next message of one of these types, and no error before it that is not asked for."""
        while True:
            message = json.loads(await self._messages.next(RUN_ANSWER, seconds))
            if message["client"] != self.client:
                continue
            if message["type"] in kinds:
                return message
            if message["type"] == "error":
                raise AssertionError(f"an error: {message['data']}")

    async def run(self, process="1", seconds=40, **data):
        """Starts a program; its output and exit code."""
        await self.send("start", process, **data)
        output = ""
        while True:
            message = await self.next("started", "stdout", "stopped", seconds=seconds)
            if message["type"] == "stopped":
                return output, message["data"]["exitCode"]
            if message["type"] == "stdout":
                output += message["data"]["output"]


async def use(check, central, token=None, mtu=""):
    """Everything that a connected central does with the device."""
    messages = Messages(central)
    runs = Runs(messages)

    async def reads():
        same(await messages.read(STATUS), b"OK")
        same(await messages.read(CLIENTS), b"0")
        return json.loads(await messages.read(VERSION))["version"]

    async def writes():
        await messages.write(WRITE_TEST, bytes(range(256)) * 20)
        for chunk in (b"", b"short", header(1, 0, 5) + b"beyond", header(2, 0xFFFFFF, 0) + b"of very many"):
            try:
                await central.write(WRITE_TEST, chunk)
            except Exception as error:
                if isinstance(error, ConnectionError):
                    raise
        same(await messages.read(STATUS), b"OK")

    async def subscribes():
        for uuid in (RUN_ANSWER, UPLOAD_ANSWER, APT_ANSWER):
            await messages.subscribe(uuid)

    async def says_who_it_is():
        await runs.send("auth", token="fl_none-of-ours")
        same((await runs.next("error"))["data"]["code"], "unauthenticated")
        await runs.send("auth", token=token)
        await runs.next("auth")

    async def pings():
        await runs.send("ping")
        await runs.next("pong")
        same(await messages.read(CLIENTS), b"1")

    async def runs_a_program():
        same(await runs.run(runner="python3", code="import sys\nprint('Hello', sys.stdout.isatty())"), ("Hello True\r\n", 0))

    async def types():
        await runs.send("start", "2", runner="python3", code="print(input('?') * 2)")
        while not await prompted():
            pass
        await runs.send("stdin", "2", input="word\n")
        output = ""
        while (message := await runs.next("stdout", "stopped"))["type"] == "stdout":
            output += message["data"]["output"]
        same(output.splitlines()[-1], "wordword")

    async def prompted():
        message = await runs.next("started", "stdout")
        return message["type"] == "stdout" and "?" in message["data"]["output"]

    async def prints_much():
        output, code = await runs.run(runner="python3", code="print(*range(1500))")
        same(output.replace("\r\n", ""), " ".join(map(str, range(1500))))
        same(code, 0)

    async def stops():
        await runs.send("start", "3", runner="python3", code="while True: print('y' * 70)")
        for _ in range(5):
            await runs.next("stdout")
        await runs.send("stdin", "3", input="\x03")
        await runs.next("stopped", seconds=20)

    async def errs():
        await runs.send("nonsense")
        same((await runs.next("error"))["data"]["message"], "Bad message")

    async def uploads():
        files = {"main.py": {"type": "text", "content": {"text": "import part\nprint(part.VALUE)"}}, "part.py": {"type": "text", "content": {"text": "VALUE = 'uploaded'"}}}
        await messages.write(UPLOAD, json.dumps({"name": "rig", "files": files}).encode())
        same(json.loads(await messages.next(UPLOAD_ANSWER))["success"], True)
        same(await runs.run(runner="python3", path="rig/main.py"), ("uploaded\r\n", 0))

    async def tells_versions():
        installed = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "bash"], capture_output=True, text=True, check=True).stdout
        await messages.write(APT, b"bash")
        same(json.loads(await messages.next(APT_ANSWER)), {"version": installed})

    parts = [("status, clients and version are read", reads), ("a message beyond the MTU is written, broken chunks do no harm", writes), ("notifications are subscribed to", subscribes)]
    if token:
        parts.append(("a wrong token is refused, a right one counts", says_who_it_is))
    parts += [
        ("ping is answered, and the client counted", pings), ("a program runs, on a terminal", runs_a_program), ("a program is typed to", types),
        ("long output comes whole and in order", prints_much), ("Ctrl-C ends what prints without end", stops), ("nonsense is answered by an error", errs),
        ("files are uploaded, and run", uploads), ("the version of a package is told", tells_versions)]
    for name, part in parts:
        await check(name + mtu, part())


async def encrypted(rig, token):
    """The host as it is by default: who has not paired gets nothing, who has says who it is by a token."""
    central = DaemonCentral(rig.bus, CENTRAL, rig.remote)

    async def finds():
        device = await central.find(PERIPHERAL, SERVICE, lambda device: device.get("Name") == NAME)
        same(INFORMATION in device["UUIDs"], True)

    async def is_refused():
        link = await rig.att(517)
        try:
            for attempt in (link.read(STATUS), link.write(RUN, b"{}"), link.subscribe(RUN_ANSWER, print)):
                try:
                    await attempt
                except AttError as error:
                    same(error.args[0] in UNENCRYPTED, True)
                else:
                    raise AssertionError("it was let in")
        finally:
            await link.disconnect()

    async def pairs():
        await rig.bus.be_agent("/central/agent", "DisplayYesNo", False)
        await central.pair()
        same((await rig.bus.get(central.path, DEVICE))["Paired"], True)

    async def informs():
        manufacturer, pnp, software = [await central.read(f"0000{number}-0000-1000-8000-00805f9b34fb") for number in ("2a29", "2a50", "2a28")]
        same((manufacturer, pnp[:1], len(pnp)), (b"FurtherLink", b"\x01", 7))
        same(json.loads(await Messages(central).read(VERSION))["version"].encode(), software)

    async def ends():
        await central.disconnect()
        await rig.forget()

    await rig.check("who has not paired neither reads, writes nor subscribes", is_refused())
    await rig.forget()
    if not await rig.check("is found by its name and services", finds()) or not await rig.check("is connected to", central.connect()):
        return
    if await rig.check("pairs", pairs()):
        await rig.check("device information is read", informs())
        await use(rig.check, central, token)
    await rig.check("disconnects and is forgotten", ends())


async def legacy(rig, _):
    """The host as old clients need it, with the MTUs of phones."""
    for mtu in (23, 185, 517):
        link = await rig.att(mtu)
        try:
            await use(rig.check, link, mtu=f", MTU {mtu}")
        finally:
            await link.disconnect()
