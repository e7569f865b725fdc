#!/usr/bin/env node
/*
Exercise of lesson 3: an ARP cache that forgets.

`netlayers check arp_cache --language javascript` says how far you are.

send 0 .2             asks       who has .2? goes to all
reply 0 .2 bb .1      nothing    .2 is at bb: keep it
send 0 .2             goes:bb
request 5 .3 cc .1    answers    .3, at cc, has asked for us: keep that, too
send 60 .2            asks       what was heard 60 s ago is forgotten

RFC 826, "Packet Reception"; RFC 1122 section 2.3.2.1.

It runs, and it is wrong. `netlayers hint arp_cache` helps, `netlayers reset arp_cache --language javascript` starts
over. Any other language will do as well: `netlayers check arp_cache --program FILE`.
*/

import { createInterface } from 'node:readline';

// What a host holds: it has the address `own`, and believes what it has heard for `lifetime` seconds.
class Host {
  constructor(own, lifetime) {
    this.known = new Map(); // of each address that is known, its MAC address
  }

  // A packet is to go to a neighbour: 'goes:' and the MAC address, 'asks' or 'waits'.
  send(now, ip) {
    // This forgets nothing, and asks as often as it likes.
    return this.known.has(ip) ? `goes:${this.known.get(ip)}` : 'asks';
  }

  // ARP was heard: a request or a reply, from whom, and about which address. Says whether it is answered.
  heard(now, isRequest, ip, mac, target) {
    // This keeps whatever comes, and answers for everybody.
    this.known.set(ip, mac);
    return isRequest;
  }
}

// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
let host;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, first, ...rest] = line.trim().split(' ');
  let does = 'begins';
  if (word === 'begin') host = new Host(first, Number(rest[0]));
  else if (word === 'send') does = host.send(Number(first), rest[0]);
  else does = host.heard(Number(first), word === 'request', ...rest) ? 'answers' : 'nothing';
  console.log(`answer: does=${does}`);
}

// Try this:
// 1. Type lines to your program yourself: node exercises/javascript/arp_cache.mjs, then begin .1 60, then send 0 .2
// 2. Somebody says: reply 0 .254 ee .1, and .254 is your router. Where do your packets go now?
