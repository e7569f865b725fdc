#!/usr/bin/env node
// A solution of lesson 3's exercise: an ARP cache that forgets

import { createInterface } from 'node:readline';

// What a host holds.
class Host {
  constructor(own, lifetime) {
    // Of each address that is known, its MAC address and until when that is believed; when each was asked about.
    Object.assign(this, { own, lifetime, known: new Map(), asked: new Map() });
  }

  believed(now, ip) {
    return this.known.has(ip) && now < this.known.get(ip).until;
  }

  send(now, ip) {
    if (this.believed(now, ip)) return `goes:${this.known.get(ip).mac}`;
    if (this.asked.get(ip) === now) return 'waits';
    this.asked.set(ip, now);
    return 'asks';
  }

  heard(now, isRequest, ip, mac, target) {
    if (target === this.own || this.believed(now, ip)) this.known.set(ip, { mac, until: now + this.lifetime });
    return isRequest && target === this.own;
  }
}

let host;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, first, ...rest] = line.trim().split(' ');
  let does = 'begins';
  if (word === 'begin') host = new Host(first, Number(rest[0]));
  else if (word === 'send') does = host.send(Number(first), rest[0]);
  else does = host.heard(Number(first), word === 'request', ...rest) ? 'answers' : 'nothing';
  console.log(`answer: does=${does}`);
}

// Try this: somebody says: reply 0 .254 ee .1, and .254 is your router. Where do your packets go now?
