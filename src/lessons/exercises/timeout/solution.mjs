#!/usr/bin/env node
// A solution of lesson 10's exercise: how long to wait for an ACK

import { createInterface } from 'node:readline';

// What a sender knows of the round trip. All times are in milliseconds.
class Timer {
  rto = 1000;

  // An ACK came for a segment that was sent once, `rtt` after it was sent.
  measured(rtt) {
    if (this.srtt === undefined) {
      [this.srtt, this.rttvar] = [rtt, rtt / 2];
    } else {
      // RTTVAR first: it is about the SRTT of before this round trip.
      this.rttvar = (this.rttvar * 3) / 4 + Math.abs(this.srtt - rtt) / 4;
      this.srtt = (this.srtt * 7) / 8 + rtt / 8;
    }
    this.rto = Math.min(Math.max(this.srtt + Math.max(1, 4 * this.rttvar), 1000), 60000);
  }

  // Karn's algorithm: which of the two the ACK answers, nobody can tell.
  ambiguous() {}

  // The timer expired: the next wait is twice as long.
  expired() {
    this.rto = Math.min(this.rto * 2, 60000);
  }
}

let timer;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, rtt] = line.split(' ');
  if (word === 'begin') timer = new Timer();
  else if (word === 'expired') timer.expired();
  else timer[word](Number(rtt));
  const facts = { rto: Math.trunc(timer.rto) };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this: Linux never waits less than 200 ms, the RFC says a second. Who gains by which?
