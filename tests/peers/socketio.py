"""A stock Python client against the event server: socketio.py PORT TRANSPORTS suite|chat"""
import queue
import sys

# This file has the name of the package that it needs: its own folder must not be searched.
sys.path = [path for path in sys.path if not path.endswith("tests/peers")]
import socketio

port, transports, profile = sys.argv[1], sys.argv[2].split(","), sys.argv[3]
URL = f"http://127.0.0.1:{port}"


def client(namespace="/", **more):
    sio = socketio.Client()
    sio.heard = queue.Queue()
    sio.on("*", lambda name, *args: sio.heard.put((name, args)), namespace=namespace)
    sio.connect(URL, transports=transports, namespaces=[namespace], wait_timeout=5, **more)
    return sio


def payload(args):
    return args[:-1] if profile == "chat" else args


def check(name, truth):
    if not truth:
        sys.exit(f"FAILED {name}")
    print("ok", name)


a, b = client(auth={"token": "123"}), client()
name, args = a.heard.get(timeout=4)
check("the server sends what CONNECT had", (name, payload(args)) == ("auth", ({"token": "123"},)))
b.heard.get(timeout=4)

a.emit("message", (1, {"3": [True, None]}, b"\x01\x02"))
name, args = a.heard.get(timeout=4)
check("a message comes back, with bytes in it", payload(args) == (1, {"3": [True, None]}, b"\x01\x02"))
check("acks", tuple(a.call("message-with-ack", ("x", b"\x03"), timeout=4)) == ("x", b"\x03"))

rooms = a.call("join", "red", timeout=4)
check("join", rooms == {"ok": True, "rooms": [a.get_sid(), "red"]})
b.call("join", "red", timeout=4)
check("members", a.call("members", "red", timeout=4) == 2)
a.call("say", ("red", "hi"), timeout=4)
name, args = b.heard.get(timeout=4)
check("a room hears it", (name, args[0]) == ("said", {"room": "red", "from": a.get_sid(), "msg": "hi"}))
check("but not who said it", a.heard.empty())

custom = client("/custom")
name, args = custom.heard.get(timeout=4)
check("another namespace", (name, payload(args)) == ("auth", ({},)))
guarded, refusals = socketio.Client(), []
guarded.on("connect_error", refusals.append, namespace="/private")
try:
    guarded.connect(URL, transports=transports, namespaces=["/private"], wait_timeout=5)
except socketio.exceptions.ConnectionError:
    pass
check("the guarded namespace refuses", refusals == [{"message": "unauthorized", "data": {"code": "E_AUTH"}}])

# In the profile `suite` who is busy for a fifth of a second is given up.
many = 1000 if profile == "chat" else 100
for n in range(many):
    a.emit("message", n)
# This client hands each message to a thread of its own, so its program may see them in another order.
came = sorted(a.heard.get(timeout=4)[1][0] for _ in range(many))
check("many messages come back, each once", came == list(range(many)))
check("the transport is the last one offered", a.transport() == transports[-1])
if profile == "suite":
    a.sleep(1.2)
    check("the connection lives through many pings", a.connected and b.connected)
for sio in (a, b, custom):
    sio.disconnect()
