#!/usr/bin/env python3
"""Exercise of lesson 20: take a packet apart.

`netlayers check 20 --language python` says how far you are.

  4        2       /staff,       17        ["say","hi"]
  |        |          |           |             |
  |        |          |           |             JSON: the event's name, and what it carries
  |        |          |           a number, when an answer is wanted; or the number of what is answered
  |        |          the namespace and a comma; nothing for the main one, /
  |        0 connect, 1 disconnect, 2 event, 3 ack, 4 connect error
  Engine.IO: a message

Everything but the first two digits may be missing (Socket.IO protocol, revision 5).

It runs, and it is wrong. `netlayers hint 20` helps, `netlayers reset 20 --language python` starts over.
Any other language will do as well: `netlayers check 20 --program FILE`.
"""

import sys


KINDS = ["connect", "disconnect", "event", "ack", "connecterror"]  # by their digits, from 0


def parse(text):
    """What the text of a message says; "no_message" when it is none of Engine.IO's messages, "no_kind" when the digit
    after that is unknown."""
    if not text.startswith("4"):
        return "no_message"
    # This takes everything for an event of the main namespace.
    kind, namespace, number, data = "event", "/", None, text[2:]
    return kind, namespace, number, data


# Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
for line in sys.stdin:
    said = parse(line.rstrip("\r\n").removeprefix("packet "))
    if isinstance(said, str):
        facts = {"refused": said}
    else:
        kind, namespace, number, data = said
        facts = {"kind": kind, "namespace": namespace, "ack": "-" if number is None else number}
        facts["data"] = data.replace(" ", "_") or "-"
    print("answer:", *(f"{name}={value}" for name, value in facts.items()))

# Try this:
# 1. Type a line to your program yourself: python3 exercises/python/packet.py, then packet 42["echo","one"]
# 2. A client sends a number of a thousand digits. What does your program do? What does `decoder.rs` do?
