"""The Python package `websockets` against netlayers: sends, checks the echoes, pings, closes."""
import asyncio
import sys

import websockets


async def main(url):
    async with websockets.connect(url, max_size=None) as socket:
        print("extensions:", [str(extension) for extension in socket.protocol.extensions])
        await (await socket.ping(b"are you there"))
        print("pong")
        messages = ["", "hello", "äöü €", "x" * 70_000, b"\x00\xff\x01", b"\x07" * 300_000]
        for message in messages:
            await socket.send(message)
            assert await socket.recv() == message, message[:20]
        await socket.send(["frag", "men", "ted"])
        assert await socket.recv() == "fragmented"
    print("echoed:", len(messages), "closed:", socket.close_code)


asyncio.run(main(sys.argv[1]))
