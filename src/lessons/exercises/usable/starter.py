#!/usr/bin/env python3
"""Exercise of lesson 11: how much may be sent now.

`netlayers check usable --language python` says how far you are.

         acknowledged          in flight         may be sent now   must wait
   |----------------------|------------------|-------------------|------------
                         ack              sent            ack + window

A window counts from the acknowledgment number beside it: it is the number of bytes after that one for which the
receiver has room. What is in flight takes up a part of it already (RFC 9293 section 3.8.6.2.1 calls the rest the
usable window).

It runs, and it is wrong. `netlayers hint usable` helps, `netlayers reset usable --language python` starts over.
Any other language will do as well: `netlayers check usable --program FILE`.
"""

import sys


class Sender:
    """What a sender knows. Bytes are counted from 0."""

    def __init__(self, window):
        """Nothing is in flight, and this window was announced."""
        self.window = window

    def sent(self, count):
        """This many bytes leave, after those that have left."""

    def ack(self, number, window):
        """An ACK arrives: all bytes before `number` have arrived, and there is room for `window` more."""
        self.window = window

    def may_send(self):
        """How many bytes may leave now."""
        # This forgets what is in flight.
        return self.window


# Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
sender = None
for line in sys.stdin:
    word, *rest = line.split()
    numbers = [int(number) for number in rest]
    if word == "begin":
        sender = Sender(*numbers)
    elif word == "sent":
        sender.sent(*numbers)
    else:
        sender.ack(*numbers)
    facts = {"may": sender.may_send()}
    print("answer:", *(f"{name}={value}" for name, value in facts.items()))

# Try this:
# 1. Type lines to your program yourself: python3 exercises/python/usable.py, then begin 4000, then sent 1000 and ack
#    1000 3000
# 2. The window is 4000 and a round trip takes 40 ms. How many bytes per second can be sent at most?
