#!/usr/bin/env python3
"""A solution of lesson 21's exercise: drop the copies"""

import sys
from collections import deque


class Ids:
    """The ids of the newest events, the oldest first."""

    def __init__(self, room):
        """One that may remember `room` ids; when there is no room, the oldest is forgotten."""
        self.ids = deque(maxlen=room)  # a full one drops its oldest

    def is_new(self, id):
        """Whether an event with this id is to have its effect."""
        if id in self.ids:
            return False
        self.ids.append(id)
        return True


ids = None
for line in sys.stdin:
    word, value = line.split()
    if word == "begin":
        ids = Ids(int(value))
        facts = {"ready": "yes"}
    else:
        facts = {"effect": "yes" if ids.is_new(value) else "no"}
    print("answer:", *(f"{name}={value}" for name, value in facts.items()))

# Try this: How many ids must a receiver remember, if a sender has at most 10 events under way?
