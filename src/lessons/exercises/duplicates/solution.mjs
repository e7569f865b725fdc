#!/usr/bin/env node
// A solution of lesson 10's exercise: three ACKs that say the same

import { createInterface } from 'node:readline';

// What a sender knows of its ACKs.
class Sender {
  constructor(acked, window) {
    Object.assign(this, { acked, end: acked, window, duplicates: 0 });
  }

  sent(end) {
    this.end = end;
  }

  // An ACK arrives. Gives the number of the byte from which a segment is to be sent again, or undefined.
  ack(number, length, window) {
    const inFlight = this.end > this.acked;
    const saysTheSame = number === this.acked && window === this.window;
    this.window = window;
    if (number > this.acked) {
      [this.acked, this.duplicates] = [number, 0];
    } else if (inFlight && saysTheSame && length === 0) {
      this.duplicates += 1;
      // The third and no later one: what they report is still under way.
      if (this.duplicates === 3) return this.acked;
    }
    return undefined;
  }
}

let sender;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, ...rest] = line.split(' ');
  const numbers = rest.map(Number);
  let again;
  if (word === 'begin') sender = new Sender(...numbers);
  else if (word === 'sent') sender.sent(...numbers);
  else again = sender.ack(...numbers);
  const facts = { again: again ?? 'nothing' };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this: Why three, and not one? Think of a segment that is held back for a moment and not lost.
