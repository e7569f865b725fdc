#!/usr/bin/env node
// A solution of lesson 15's exercise: a delimiter, and an escape for it

import { createInterface } from 'node:readline';

const [END, ESC, ESC_END, ESC_ESC] = [0xc0, 0xdb, 0xdc, 0xdd];

// What one end of a line holds.
class Slip {
  constructor() {
    Object.assign(this, { kept: [], escaped: false });
  }

  write(message) {
    const signs = (byte) => ({ [END]: [ESC, ESC_END], [ESC]: [ESC, ESC_ESC] })[byte] ?? [byte];
    return [...[...message].flatMap(signs), END];
  }

  read(bytes) {
    const messages = [];
    for (const byte of bytes) {
      const { escaped } = this;
      this.escaped = false;
      if (escaped) this.kept.push({ [ESC_END]: END, [ESC_ESC]: ESC }[byte] ?? byte);
      else if (byte === ESC) this.escaped = true;
      else if (byte !== END) this.kept.push(byte);
      else if (this.kept.length > 0) {
        messages.push(this.kept);
        this.kept = [];
      }
    }
    return messages;
  }
}

const hex = (bytes) => Buffer.from(bytes).toString('hex') || '-';
let end;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, value] = line.trim().split(' ');
  const bytes = Buffer.from(value ?? '', 'hex');
  if (word === 'begin') end = new Slip();
  if (word === 'write') console.log(`answer: wire=${hex(end.write(bytes))}`);
  else console.log(`answer: messages=${end.read(bytes).map(hex).join('+') || 'none'}`);
}

// Try this: RFC 1055 sets no limit. Give `read` one. What does it do with a message that is too long?
