#!/usr/bin/env python3
"""Exercise of lesson 11: when more room is worth telling.

`netlayers check announce --language python` says how far you are.

the buffer   |#### not read ####|---- window ----|.. free, and not announced ..|
                                                  grows with every read

A receiver announces more room only when it is worth a full segment, or half of its buffer, whichever is less. Until
then the right edge of the window stays where it is (RFC 9293 section 3.8.6.2.2).

It runs, and it is wrong. `netlayers hint announce` helps, `netlayers reset announce --language python` starts over.
Any other language will do as well: `netlayers check announce --program FILE`.
"""

import sys


class Receiver:
    """A buffer, and what was announced of it."""

    def __init__(self, buffer, mss):
        """An empty buffer of this size, all of it announced; full segments have `mss` bytes."""
        self.buffer, self.unread = buffer, 0

    def arrives(self, count):
        """This many bytes arrive in order, within the window."""
        self.unread += count

    def reads(self, count):
        """The program reads this many of them."""
        self.unread -= count

    def window(self):
        """The window that an ACK would announce now."""
        # This announces every free byte: a silly window.
        return self.buffer - self.unread


# Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
receiver = None
for line in sys.stdin:
    word, *rest = line.split()
    numbers = [int(number) for number in rest]
    if word == "begin":
        receiver = Receiver(*numbers)
    elif word == "arrives":
        receiver.arrives(*numbers)
    else:
        receiver.reads(*numbers)
    facts = {"window": receiver.window()}
    print("answer:", *(f"{name}={value}" for name, value in facts.items()))

# Try this:
# 1. Type lines to your program yourself: python3 exercises/python/announce.py, then begin 4000 1000, then arrives 4000
#    and reads 100
# 2. What would a sender do with a window of 100 bytes, and what would that cost in headers?
