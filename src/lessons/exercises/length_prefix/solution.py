#!/usr/bin/env python3
"""A solution of lesson 15's exercise: messages with a length in front"""

import sys


class Reader:
    """What a reader holds."""

    def __init__(self, limit):
        self.limit, self.kept, self.refused = limit, b"", False

    def read(self, data):
        if self.refused:
            return [], 0, True
        self.kept += data
        messages = []
        while len(self.kept) >= 2:
            length = int.from_bytes(self.kept[:2], "big")
            if length > self.limit:
                self.refused = True
                return messages, 0, True
            if len(self.kept) < 2 + length:
                return messages, len(self.kept) - 2, False
            messages.append(self.kept[2:2 + length])
            self.kept = self.kept[2 + length:]
        return messages, len(self.kept), False


reader = None
for line in sys.stdin:
    word, value = line.split()
    if word == "begin":
        reader, messages, kept, refused = Reader(int(value)), [], 0, False
    else:
        messages, kept, refused = reader.read(bytes.fromhex(value))
    said = "+".join(message.hex() or "-" for message in messages) or "none"
    print(f"answer: messages={said} kept={kept} refused={'yes' if refused else 'no'}")

# Try this: make the length four bytes. What must the limit be, so that 1000 strangers cannot fill the memory?
