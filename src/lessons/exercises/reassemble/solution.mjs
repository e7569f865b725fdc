#!/usr/bin/env node
// A solution of lesson 9's exercise: make a stream of segments again

import { createInterface } from 'node:readline';

// One direction of a connection, as its receiver sees it.
class Stream {
  early = []; // segments that came early; a real receiver bounds this by its window

  constructor(isn) {
    this.next = (isn + 1) >>> 0; // the number of the byte that is expected next
  }

  // Takes a segment whose first byte has the number `seq`. Gives the bytes whose turn has come, in order.
  receive(seq, bytes) {
    this.early.push({ seq, bytes });
    const due = [];
    // What is handed on may be what another piece waited for, so look until nothing is due.
    for (;;) {
      const at = this.early.findIndex((piece) => this.ahead(piece.seq) <= 0);
      if (at < 0) return Buffer.concat(due);
      const [piece] = this.early.splice(at, 1);
      // What lies before `next` was handed on already: perhaps all of it.
      const fresh = piece.bytes.subarray(-this.ahead(piece.seq));
      this.next = (this.next + fresh.length) >>> 0;
      due.push(fresh);
    }
  }

  // How far `seq` is ahead of `next` on the circle of numbers; negative when it is behind.
  ahead(seq) {
    return (seq - this.next) | 0;
  }
}

let stream;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, number, hex = ''] = line.split(' ');
  let delivered = '';
  if (word === 'begin') stream = new Stream(Number(number));
  else delivered = stream.receive(Number(number), Buffer.from(hex.replace('-', ''), 'hex')).toString();
  const facts = { delivers: delivered ? `"${delivered}"` : 'nothing', ack: stream.next };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this: How much memory can a peer make you use? What bounds it in `src/layers/transport/tcp/receiver.rs`?
