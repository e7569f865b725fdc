#!/usr/bin/env python3
"""A solution of lesson 13's exercise: be the queue in front of the link"""

import sys


class Link:
    """The link and what waits for it. Times are in milliseconds."""

    def __init__(self, takes, room):
        self.takes, self.room, self.begins = takes, room, []  # when each frame begins to leave

    def frame(self, now):
        free = self.begins[-1] + self.takes if self.begins else now  # the last frame has left then
        if free > now and self.waiting(now) >= self.room:
            return None
        self.begins.append(max(free, now))
        return self.begins[-1] + self.takes

    def waiting(self, now):
        return sum(begins > now for begins in self.begins)


link = None
for line in sys.stdin:
    word, *rest = line.split()
    if word == "begin":
        link = Link(int(rest[0]), int(rest[1]))
        facts = {"leaves": "never", "waiting": 0}
    else:
        now = int(rest[0])
        leaves = link.frame(now)
        facts = {"leaves": "never" if leaves is None else leaves, "waiting": link.waiting(now)}
    print("answer:", *(f"{name}={value}" for name, value in facts.items()))

# Try this: A frame takes 10 ms and 100 may wait. How long is the last of them on its way, and who notices?
