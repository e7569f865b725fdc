#!/usr/bin/env node
// A solution of lesson 13's exercise: a congestion window of your own

import { createInterface } from 'node:readline';

// Both numbers, in bytes.
class Control {
  constructor(mss) {
    Object.assign(this, { mss, cwnd: Math.min(10 * mss, Math.max(2 * mss, 14600)), ssthresh: undefined });
  }

  ack(count) {
    if (this.ssthresh === undefined || this.cwnd < this.ssthresh) {
      this.cwnd += Math.min(count, this.mss); // at most a segment an ACK
    } else {
      this.cwnd += Math.max(1, Math.floor((this.mss * this.mss) / this.cwnd)); // about a segment in each round trip
    }
  }

  duplicates(inFlight) {
    this.cwnd = this.ssthresh = Math.max(Math.floor(inFlight / 2), 2 * this.mss);
  }

  timeout(inFlight) {
    this.duplicates(inFlight);
    this.cwnd = this.mss;
  }
}

let control;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, number] = line.split(' ');
  if (word === 'begin') control = new Control(Number(number));
  else control[word](Number(number));
  const facts = { cwnd: control.cwnd, ssthresh: control.ssthresh ?? 'none' };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this: What would happen to the others on a link if yours came down to nine tenths instead of a half?
