#!/usr/bin/env node
// A solution of lesson 12's exercise: which ACK may wait

import { createInterface } from 'node:readline';

// What a receiver knows. Each method but the first gives the number of the ACK that leaves now, or undefined.
class Receiver {
  constructor(mss, delay) {
    // `early`: start and end of what came too early, one block is enough here; `unacked`: bytes since the last ACK.
    Object.assign(this, { mss, delay, next: 1, due: undefined, early: undefined, unacked: 0 });
  }

  acknowledge() {
    Object.assign(this, { unacked: 0, due: undefined });
    return this.next;
  }

  data(now, seq, length) {
    const [inOrder, gap] = [seq === this.next, this.early !== undefined];
    if (inOrder) {
      this.next = seq + length;
      this.unacked += length;
      if (gap && this.early[0] <= this.next) {
        this.next = Math.max(this.next, this.early[1]);
        this.early = undefined;
      }
    } else if (seq > this.next) {
      this.early = [seq, seq + length];
    }
    if (!inOrder || gap || this.unacked >= 2 * this.mss) return this.acknowledge();
    this.due ??= now + this.delay;
    return undefined;
  }

  sends() {
    return this.acknowledge();
  }

  time(now) {
    return this.due <= now ? this.acknowledge() : undefined;
  }
}

let receiver;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, ...rest] = line.split(' ');
  const numbers = rest.map(Number);
  let ack;
  if (word === 'begin') receiver = new Receiver(...numbers);
  else ack = receiver[word](...numbers);
  const facts = { ack: ack ?? 'none', due: receiver.due ?? '-' };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this: How many ACKs does a transfer of 1000 full segments need, with and without the delay?
