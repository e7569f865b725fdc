#!/usr/bin/env node
/*
Exercise of lesson 15: a delimiter, and an escape for it.

`netlayers check slip --language javascript` says how far you are.

END      c0   ends a message
ESC      db   the next byte is meant otherwise:
ESC_END  dc   ... behind ESC: an END that belongs to the message
ESC_ESC  dd   ... behind ESC: an ESC that belongs to the message

message  61 c0 62          "a", a byte that looks like an END, "b"
wire     61 db dc 62 c0                                              RFC 1055

It runs, and it is wrong. `netlayers hint slip` helps, `netlayers reset slip --language javascript` starts over.
Any other language will do as well: `netlayers check slip --program FILE`.
*/

import { createInterface } from 'node:readline';

const END = 0xc0;
// You will want these, too: ESC is 0xdb, ESC_END 0xdc, ESC_ESC 0xdd.

// What one end of a line holds.
class Slip {
  constructor() {
    this.kept = [];
  }

  // A message (a Buffer) as it is on the wire.
  write(message) {
    // What about an END inside?
    return [...message];
  }

  // A read gave these bytes. Gives the messages that are complete with them.
  read(bytes) {
    const messages = [];
    for (const byte of bytes) {
      if (byte === END) {
        messages.push(this.kept);
        this.kept = [];
      } else this.kept.push(byte);
    }
    return messages;
  }
}

// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
const hex = (bytes) => Buffer.from(bytes).toString('hex') || '-';
let end;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, value] = line.trim().split(' ');
  const bytes = Buffer.from(value ?? '', 'hex');
  if (word === 'begin') end = new Slip();
  if (word === 'write') console.log(`answer: wire=${hex(end.write(bytes))}`);
  else console.log(`answer: messages=${end.read(bytes).map(hex).join('+') || 'none'}`);
}

// Try this:
// 1. Type lines to your program yourself: node exercises/javascript/slip.mjs, then begin, then write 61c062
// 2. Which message of 100 bytes takes most on the wire, and how much? Why does a length prefix not have that?
