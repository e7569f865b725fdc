#!/usr/bin/env node
// A solution of lesson 15's exercise: messages with a length in front

import { createInterface } from 'node:readline';

// What a reader holds.
class Reader {
  constructor(limit) {
    Object.assign(this, { limit, kept: Buffer.alloc(0), refused: false });
  }

  read(bytes) {
    const messages = [];
    if (this.refused) return { messages, kept: 0, refused: true };
    this.kept = Buffer.concat([this.kept, bytes]);
    while (this.kept.length >= 2) {
      const length = this.kept.readUInt16BE(0);
      if (length > this.limit) {
        this.refused = true;
        return { messages, kept: 0, refused: true };
      }
      if (this.kept.length < 2 + length) return { messages, kept: this.kept.length - 2, refused: false };
      messages.push(this.kept.subarray(2, 2 + length));
      this.kept = this.kept.subarray(2 + length);
    }
    return { messages, kept: this.kept.length, refused: false };
  }
}

let reader;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, value] = line.trim().split(' ');
  let got = { messages: [], kept: 0, refused: false };
  if (word === 'begin') reader = new Reader(Number(value));
  else got = reader.read(Buffer.from(value, 'hex'));
  const messages = got.messages.map((message) => message.toString('hex') || '-').join('+') || 'none';
  console.log(`answer: messages=${messages} kept=${got.kept} refused=${got.refused ? 'yes' : 'no'}`);
}

// Try this: make the length four bytes. What must the limit be, so that 1000 strangers cannot fill the memory?
