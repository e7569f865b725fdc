#!/usr/bin/env python3
"""Exercise of lesson 21: drop the copies.

`netlayers check 21 --language python` says how far you are.

Ada             the network            Bob
 |--- "pay 5", id ada-1 ----------------->|   effect: 5 are paid
 |          X<--------- I have ada-1 -----|
 |--- "pay 5", id ada-1 ----------------->|   a copy: nothing is paid

A sender that gets no acknowledgement must send again: it cannot know which of the two was lost. So copies come, and
the receiver has to know them.

It runs, and it is wrong. `netlayers hint 21` helps, `netlayers reset 21 --language python` starts over.
Any other language will do as well: `netlayers check 21 --program FILE`.
"""

import sys


class Ids:
    """What the receiver remembers."""

    def __init__(self, room):
        """One that may remember `room` ids; when there is no room, the oldest is forgotten."""
        self.last = None

    def is_new(self, id):
        """Whether an event with this id is to have its effect."""
        # This knows a copy only when it comes at once.
        is_new = self.last != id
        self.last = id
        return is_new


# Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
ids = None
for line in sys.stdin:
    word, value = line.split()
    if word == "begin":
        ids = Ids(int(value))
        facts = {"ready": "yes"}
    else:
        facts = {"effect": "yes" if ids.is_new(value) else "no"}
    print("answer:", *(f"{name}={value}" for name, value in facts.items()))

# Try this:
# 1. Type lines to your program yourself: python3 exercises/python/dedupe.py, then begin 3, event ada-1
# 2. How many ids must a receiver remember, if a sender has at most 10 events under way?
