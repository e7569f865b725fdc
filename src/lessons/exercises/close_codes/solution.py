#!/usr/bin/env python3
"""A solution of lesson 18's exercise: judge a Close frame"""

import sys


def judge(payload):
    """What becomes of a Close frame with this payload: "told" and the code that the program learns; or "failed" and
    the code that the connection ends with."""
    if not payload:
        return "told", 1005  # "no code": a number for programs, which is never sent
    code = int.from_bytes(payload[:2], "big")
    may_be_sent = 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999
    if len(payload) < 2 or not may_be_sent:
        return "failed", 1002
    try:
        payload[2:].decode("utf-8")
    except UnicodeDecodeError:
        return "failed", 1007
    return "told", code


for line in sys.stdin:
    outcome, code = judge(bytes.fromhex(line.split()[1].strip("-")))
    facts = {outcome: code}
    print("answer:", *(f"{name}={value}" for name, value in facts.items()))

# Try this: Why is 1006 a number at all, when it must not be sent?
