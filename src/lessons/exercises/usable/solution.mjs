#!/usr/bin/env node
// A solution of lesson 11's exercise: how much may be sent now

import { createInterface } from 'node:readline';

// What a sender knows. Bytes are counted from 0.
class Sender {
  constructor(window) {
    Object.assign(this, { acked: 0, left: 0, window });
  }

  sent(count) {
    this.left += count;
  }

  // An ACK that was overtaken by a later one tells of a buffer as it was.
  ack(number, window) {
    if (number >= this.acked) Object.assign(this, { acked: number, window });
  }

  maySend() {
    return Math.max(0, this.acked + this.window - this.left);
  }
}

let sender;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, ...rest] = line.split(' ');
  const numbers = rest.map(Number);
  if (word === 'begin') sender = new Sender(...numbers);
  else sender[word](...numbers);
  const facts = { may: sender.maySend() };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this: The window is 4000 and a round trip takes 40 ms. How many bytes per second can be sent at most?
