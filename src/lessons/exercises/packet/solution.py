#!/usr/bin/env python3
"""A solution of lesson 20's exercise: take a packet apart"""

import sys


KINDS = ["connect", "disconnect", "event", "ack", "connecterror"]  # by their digits, from 0


def parse(text):
    """What the text of a message says; "no_message" when it is none of Engine.IO's messages, "no_kind" when the digit
    after that is unknown."""
    if not text.startswith("4"):
        return "no_message"
    if text[1:2] not in list("01234"):
        return "no_kind"
    kind, rest = KINDS[int(text[1])], text[2:]
    namespace = "/"
    if rest.startswith("/"):
        namespace, _, rest = rest.partition(",")  # without a comma it goes to the end
    data = rest.lstrip("0123456789")
    digits = rest[:len(rest) - len(data)]
    return kind, namespace, int(digits) if digits else None, data


for line in sys.stdin:
    said = parse(line.rstrip("\r\n").removeprefix("packet "))
    if isinstance(said, str):
        facts = {"refused": said}
    else:
        kind, namespace, number, data = said
        facts = {"kind": kind, "namespace": namespace, "ack": "-" if number is None else number}
        facts["data"] = data.replace(" ", "_") or "-"
    print("answer:", *(f"{name}={value}" for name, value in facts.items()))

# Try this: A client sends a number of a thousand digits. What does your program do? What does `decoder.rs` do?
