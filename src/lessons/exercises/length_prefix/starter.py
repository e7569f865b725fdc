#!/usr/bin/env python3
"""Exercise of lesson 15: messages with a length in front.

`netlayers check length_prefix --language python` says how far you are.

read  00 02 68 69 00 03 79      a whole message, "hi", and the beginning of another
      +---+ +---+ +---+ +
      length    2     3 kept: 1
read  6f 75                     the rest of it: "you"

It runs, and it is wrong. `netlayers hint length_prefix` helps, `netlayers reset length_prefix --language python` starts
over. Any other language will do as well: `netlayers check length_prefix --program FILE`.
"""

import sys


class Reader:
    """What a reader holds."""

    def __init__(self, limit):
        self.limit = limit  # the longest message that it takes

    def read(self, data):
        """A read gave these bytes.

        Gives the messages that are complete, how many bytes are kept, and whether a message was too long.
        """
        # This takes each read for one message, and looks at no length.
        message = data[2:]
        return [message], 0, len(message) > self.limit


# Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
reader = None
for line in sys.stdin:
    word, value = line.split()
    if word == "begin":
        reader, messages, kept, refused = Reader(int(value)), [], 0, False
    else:
        messages, kept, refused = reader.read(bytes.fromhex(value))
    said = "+".join(message.hex() or "-" for message in messages) or "none"
    print(f"answer: messages={said} kept={kept} refused={'yes' if refused else 'no'}")

# Try this:
# 1. Type lines to your program yourself: python3 exercises/python/length_prefix.py, then begin 100, then read 00026869
# 2. Make the length four bytes. What must the limit be now, so that 1000 strangers cannot fill the memory?
