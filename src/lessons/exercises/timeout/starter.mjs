#!/usr/bin/env node
/*
Exercise of lesson 10: how long to wait for an ACK.

`netlayers check timeout --language javascript` says how far you are.

sent    |---- data ---->|
        |<---- ACK -----|     measured: 800 ms there and back
sent    |---- data --X        how long is the sender to wait before it sends again?

RFC 6298 section 2 keeps two averages of the round trips, in milliseconds: SRTT, the smoothed round trip, and
RTTVAR, how much they vary. RTO, the retransmission timeout, is SRTT plus four times RTTVAR.

It runs, and it is wrong. `netlayers hint timeout` helps, `netlayers reset timeout --language javascript` starts
over.
Any other language will do as well: `netlayers check timeout --program FILE`.
*/

import { createInterface } from 'node:readline';

// What a sender knows of the round trip. All times are in milliseconds.
class Timer {
  rto = 1000; // the retransmission timeout, before anything was measured

  // An ACK came for a segment that was sent once, `rtt` after it was sent.
  measured(rtt) {
    // This believes that the next round trip is like the last one.
    this.rto = rtt;
  }

  // An ACK came for a segment that was sent twice, `rtt` after it was sent the second time.
  ambiguous(rtt) {
    this.measured(rtt);
  }

  // The timer expired: the segment is sent once more, and the timer is set again.
  expired() {}
}

// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
let timer;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, rtt] = line.split(' ');
  if (word === 'begin') timer = new Timer();
  else if (word === 'expired') timer.expired();
  else timer[word](Number(rtt));
  const facts = { rto: Math.trunc(timer.rto) };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this:
// 1. Type lines to your program yourself: node exercises/javascript/timeout.mjs, then begin, then measured 800
// 2. Linux never waits less than 200 ms, the RFC says a second. Who gains by which?
