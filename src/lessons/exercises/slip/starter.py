#!/usr/bin/env python3
"""Exercise of lesson 15: a delimiter, and an escape for it.

`netlayers check slip --language python` says how far you are.

END      c0   ends a message
ESC      db   the next byte is meant otherwise:
ESC_END  dc   ... behind ESC: an END that belongs to the message
ESC_ESC  dd   ... behind ESC: an ESC that belongs to the message

message  61 c0 62          "a", a byte that looks like an END, "b"
wire     61 db dc 62 c0                                              RFC 1055

It runs, and it is wrong. `netlayers hint slip` helps, `netlayers reset slip --language python` starts over.
Any other language will do as well: `netlayers check slip --program FILE`.
"""

import sys

END, ESC, ESC_END, ESC_ESC = 0xC0, 0xDB, 0xDC, 0xDD


class Slip:
    """What one end of a line holds."""

    def __init__(self):
        self.kept = bytearray()

    def write(self, message):
        """A message as it is on the wire."""
        # What about an END inside?
        return message

    def read(self, data):
        """A read gave these bytes. Gives the messages that are complete with them."""
        messages = []
        for byte in data:
            if byte == END:
                messages.append(bytes(self.kept))
                self.kept.clear()
            else:
                self.kept.append(byte)
        return messages


# Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
end = None
for line in sys.stdin:
    word, *value = line.split()
    data = bytes.fromhex(value[0]) if value else b""
    if word == "write":
        print(f"answer: wire={end.write(data).hex() or '-'}")
        continue
    if word == "begin":
        end = Slip()
    messages = [] if word == "begin" else end.read(data)
    print("answer: messages=" + ("+".join(message.hex() or "-" for message in messages) or "none"))

# Try this:
# 1. Type lines to your program yourself: python3 exercises/python/slip.py, then begin, then write 61c062
# 2. Which message of 100 bytes takes most on the wire, and how much? Why does a length prefix not have that?
