#!/usr/bin/env node
// A solution of lesson 12's exercise: gather small writes

import { createInterface } from 'node:readline';

// What a sender holds. Each method gives the sizes of the segments that leave now.
class Sender {
  constructor(mss) {
    Object.assign(this, { mss, waiting: 0, inFlight: false, noDelay: false });
  }

  send() {
    const sizes = Array(Math.floor(this.waiting / this.mss)).fill(this.mss);
    this.waiting %= this.mss;
    this.inFlight ||= sizes.length > 0;
    if (this.waiting > 0 && (this.noDelay || !this.inFlight)) {
      sizes.push(this.waiting);
      Object.assign(this, { waiting: 0, inFlight: true });
    }
    return sizes;
  }

  write(count) {
    this.waiting += count;
    return this.send();
  }

  ack() {
    this.inFlight = false;
    return this.send();
  }

  nodelay() {
    this.noDelay = true;
    return this.send();
  }
}

let sender;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, number] = line.split(' ');
  let sends = [];
  if (word === 'begin') sender = new Sender(Number(number));
  else sends = sender[word](Number(number));
  const facts = { sends: sends.join('+') || 'nothing' };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this: Linux waits only while a small segment is in flight (Minshall). Which cases would it answer otherwise?
