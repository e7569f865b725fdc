#!/usr/bin/env python3
"""Exercise of lesson 9: make a stream of segments again.

`netlayers check 9 --language python` says how far you are.

the stream    a b c d e f g h i j
seq        1001                1010

arrives    seq=1006 "fghij"     too early: keep it, the acknowledgment stays 1001
arrives    seq=1001 "abcde"     hand on "abcdefghij", the acknowledgment is 1011

Each byte of a TCP stream has a number (RFC 9293 section 3.4); a segment says the number of its first byte.

It runs, and it is wrong. `netlayers hint 9` helps, `netlayers reset 9 --language python` starts over.
Any other language will do as well: `netlayers check 9 --program FILE`.
"""

import sys


class Stream:
    """One direction of a connection, as its receiver sees it."""

    def __init__(self, isn):
        """The SYN itself has the number `isn`, so the first byte has the one after it."""
        self.next = (isn + 1) % 2**32  # the number of the byte that is expected next

    def receive(self, seq, data):
        """Takes a segment whose first byte has the number `seq`. Gives the bytes whose turn has come, in order."""
        # This believes that segments arrive in order, and each of them once.
        self.next = (seq + len(data)) % 2**32
        return data


# Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
stream = None
for line in sys.stdin:
    word, number, *rest = line.split()
    if word == "begin":
        stream, delivered = Stream(int(number)), b""
    else:
        delivered = stream.receive(int(number), bytes.fromhex(rest[0].strip("-")))
    shown = f'"{delivered.decode()}"' if delivered else "nothing"
    facts = {"delivers": shown, "ack": stream.next}
    print("answer:", *(f"{name}={value}" for name, value in facts.items()))

# Try this:
# 1. Type lines to your program yourself: python3 exercises/python/reassemble.py, then begin 1000, segment 1003 6364
# 2. How much memory can a peer make you use? What bounds it in `src/layers/transport/tcp/receiver.rs`?
