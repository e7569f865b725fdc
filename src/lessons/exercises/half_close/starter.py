#!/usr/bin/env python3
"""Exercise of lesson 14: when does the question end?.

`netlayers check half_close --language python` says how far you are.

client                       server
  |--- "how lon" -------------->|   a part of the question
  |--- "g is this?" ----------->|   another part
  |--- FIN -------------------->|   now it is complete: read gives 0 bytes
  |<------------- "17", FIN ----|   the answer, and the end of that

The server says how many bytes the question has. A client says by its FIN that the question is complete, and still
reads: a half-close (RFC 9293 section 3.6.1).

It runs, and it is wrong. `netlayers hint half_close` helps, `netlayers reset half_close --language python` starts
over.
Any other language will do as well: `netlayers check half_close --program FILE`.
"""

import sys


class Server:
    """A server that has one connection. Each method gives what is sent, or None, and whether the server closes."""

    def __init__(self):
        self.count = 0

    def data(self, piece):
        """A read gave these bytes."""
        # This takes what one read gave for the whole question.
        self.count += len(piece)
        return self.count, True

    def nothing(self):
        """A read gave nothing: nothing has arrived since the last one ("would block")."""
        return None, False

    def end(self):
        """A read gave 0 bytes: the client has closed its direction."""
        return None, True

    def error(self):
        """A read failed: the client has reset the connection."""
        return None, False


# Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
server = None
for line in sys.stdin:
    word, *rest = line.split()
    sends, closes = None, False
    if word == "begin":
        server = Server()
    elif word == "data":
        sends, closes = server.data(bytes.fromhex(rest[0]))
    elif word == "nothing":
        sends, closes = server.nothing()
    elif word == "end":
        sends, closes = server.end()
    else:
        sends, closes = server.error()
    facts = {"sends": "nothing" if sends is None else sends, "closes": "yes" if closes else "no"}
    print("answer:", *(f"{name}={value}" for name, value in facts.items()))

# Try this:
# 1. Type lines to your program yourself: python3 exercises/python/half_close.py, then begin, then data 6869 and end
# 2. A client sends its question and never closes. What should a server do about that?
