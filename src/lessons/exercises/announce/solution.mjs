#!/usr/bin/env node
// A solution of lesson 11's exercise: when more room is worth telling

import { createInterface } from 'node:readline';

// A buffer, and what was announced of it.
class Receiver {
  constructor(buffer, mss) {
    // `worth` is what more must be free before it is announced.
    Object.assign(this, { buffer, unread: 0, announced: buffer, worth: Math.min(mss, Math.floor(buffer / 2)) });
  }

  arrives(count) {
    this.unread += count;
    this.announced -= count; // the right edge stays
    this.update();
  }

  reads(count) {
    this.unread -= count;
    this.update();
  }

  update() {
    const free = this.buffer - this.unread;
    if (free >= this.announced + this.worth) this.announced = free;
  }

  window() {
    return this.announced;
  }
}

let receiver;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, ...rest] = line.split(' ');
  const numbers = rest.map(Number);
  if (word === 'begin') receiver = new Receiver(...numbers);
  else receiver[word](...numbers);
  const facts = { window: receiver.window() };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this: What would a sender do with a window of 100 bytes, and what would that cost in headers?
