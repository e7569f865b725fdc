#!/usr/bin/env python3
"""Exercise of lesson 18: judge a Close frame.

`netlayers check 18 --language python` says how far you are.

+--------+--------+----------------
|      code       | reason, UTF-8      both may be absent, or the reason only: RFC 6455 §5.5.1
+--------+--------+----------------

1000 to 2999 are the protocol's own codes, and only some of them may be sent; 3000 to 4999 belong to libraries and
programs. 1004, 1005, 1006 and 1015 are never on the wire (RFC 6455 §7.4). 1012 to 1014 came later, by registration.

It runs, and it is wrong. `netlayers hint 18` helps, `netlayers reset 18 --language python` starts over.
Any other language will do as well: `netlayers check 18 --program FILE`.
"""

import sys


def judge(payload):
    """What becomes of a Close frame with this payload: "told" and the code that the program learns; or "failed" and
    the code that the connection ends with."""
    if len(payload) < 2:
        return "failed", 1002
    # Not every number is a code that may be sent.
    return "told", int.from_bytes(payload[:2], "big")


# Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
for line in sys.stdin:
    outcome, code = judge(bytes.fromhex(line.split()[1].strip("-")))
    facts = {outcome: code}
    print("answer:", *(f"{name}={value}" for name, value in facts.items()))

# Try this:
# 1. Type a line to your program yourself: python3 exercises/python/close_codes.py, then close 03e8
# 2. Why is 1006 a number at all, when it must not be sent?
