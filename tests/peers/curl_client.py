"""libcurl's WebSocket (through the Python package `curl_cffi`) against netlayers."""
import sys

from curl_cffi import CurlWsFlag, Session

with Session() as session:
    socket = session.ws_connect(sys.argv[1])
    for message in ["hello", "äöü €", "x" * 20_000]:
        socket.send_str(message)
        data, flags = socket.recv()
        assert data.decode() == message, data[:20]
        assert flags & CurlWsFlag.TEXT
    socket.send_bytes(b"\x00\xff")
    assert socket.recv()[0] == b"\x00\xff"
    socket.close()
print("echoed: 4")
