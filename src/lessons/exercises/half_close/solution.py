#!/usr/bin/env python3
"""A solution of lesson 14's exercise: when does the question end?"""

import sys


class Server:
    """A server that has one connection. Each method gives what is sent, or None, and whether the server closes."""

    def __init__(self):
        self.count = 0

    def data(self, piece):
        self.count += len(piece)
        return None, False

    def nothing(self):
        return None, False

    def end(self):
        return self.count, True

    def error(self):
        """There is no one to answer. The socket must go all the same."""
        return None, True


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

# Try this: A client sends its question and never closes. What should a server do about that?
