// Engine.IO and Socket.IO by hand, over the browser's own WebSocket, with a way back after a break.
//
//   what is meant     ["say","lobby","hello","id"]      an event and its arguments
//   Socket.IO         27["say","lobby","hello","id"]    2 is EVENT, 7 the number of the answer that is wanted
//   Engine.IO         427["say","lobby","hello","id"]   4 is a message
//   WebSocket         81 a1 <mask> 427["say",...]       one frame, made by the browser

import { showLayers } from './layers.js';

// What outlives a broken connection and a reload of the page: with `pid` and `offset` the server knows us again and
// replays what we missed; `pending` is what it has not acknowledged yet, and by `client`, which nobody else knows, it
// tells what we say again from what another says; `privates` are in no room's history.
const client = crypto.getRandomValues(new Uint32Array(4)).join('-');
export const kept = { name: '', rooms: [], pid: undefined, offset: undefined, client, pending: [], privates: [] };
export function save() {
  try { sessionStorage.chat = JSON.stringify(kept); } catch { /* then a reload forgets */ }
}
try { Object.assign(kept, JSON.parse(sessionStorage.chat)); } catch { /* the first visit */ }

// What the page does with what comes; it fills this in.
export const hooks = { connected() {}, refused() {}, heard() {}, replayed() {}, status() {} };

let socket, watchdog, retry, replayed, brokenAt;
const waiting = new Map(); // by number: who waits for which answer
let number = 0; // of the last question
let attempts = 0; // to connect, since it last worked
let patience = 45000; // how long the server may be silent: it pings more often than that

export function connect() {
  clearTimeout(retry);
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  socket = new WebSocket(`${scheme}://${location.host}/socket.io/?EIO=4&transport=websocket`);
  socket.onmessage = ({ data }) => receive(String(data));
  socket.onclose = broken;
}

export function transmit(packet) {
  if (socket?.readyState !== WebSocket.OPEN) return;
  socket.send(packet);
  showLayers('sent', packet, socket.extensions);
}

// Says an event, and promises the answer: `{lost: true}` when the connection broke before it came.
export function ask(...event) {
  return new Promise((answer) => {
    if (socket?.readyState !== WebSocket.OPEN) return answer({ ok: false, lost: true });
    waiting.set(++number, answer);
    transmit(`42${number}${JSON.stringify(event)}`);
  });
}

// Engine.IO: the first character says what it is.
function receive(packet) {
  showLayers('received', packet, socket.extensions);
  clearTimeout(watchdog);
  watchdog = setTimeout(() => hangUp(broken), patience);
  const rest = packet.slice(1);
  switch (packet[0]) {
    case '0': { // OPEN: now Socket.IO's CONNECT may be sent, with what makes us known again
      const { pingInterval, pingTimeout } = JSON.parse(rest);
      patience = pingInterval + pingTimeout;
      const { name, pid, offset, client } = kept;
      return transmit(`40${JSON.stringify({ name, pid, offset, client })}`);
    }
    case '1': return hangUp(broken); // CLOSE: the server ends, or wants us to come again
    case '2': return transmit(`3${rest}`); // PING is answered with PONG
    case '4': return understand(rest); // MESSAGE
  }
}

// Socket.IO: a digit, the number of a question if there is one, and JSON.
function understand(packet) {
  const [, type, id, body] = /^(\d)(\d*)(.*)$/s.exec(packet) ?? [];
  const data = body ? JSON.parse(body) : undefined;
  switch (type) {
    case '0': { // CONNECT: the same pid as before says that we are known, and that a replay follows
      const wasHere = kept.pid !== undefined;
      const isKnown = kept.pid === data.pid;
      kept.pid = data.pid;
      if (!isKnown) kept.offset = undefined; // it counted what another session heard
      save();
      attempts = 0;
      replayed = isKnown ? 0 : undefined;
      hooks.connected(wasHere, isKnown);
      return;
    }
    case '2': { // EVENT: its last argument is its offset in the server's log; up to there we have missed nothing
      const offset = data.at(-1);
      if (typeof offset === 'string') kept.offset = offset;
      if (replayed !== undefined) replayed += 1;
      hooks.heard(data[0], data[1], replayed !== undefined);
      return save();
    }
    case '3': // ACK. The server replays before it answers anything: with the first answer the replay is over.
      if (replayed !== undefined) {
        hooks.replayed(replayed, brokenAt && Date.now() - brokenAt);
        replayed = undefined;
      }
      brokenAt = undefined;
      waiting.get(+id)?.(data[0] ?? {});
      waiting.delete(+id);
      return;
    case '4': // CONNECT_ERROR: it makes no sense to try again
      hangUp(() => {});
      kept.pid = kept.offset = undefined;
      return hooks.refused(data.message);
  }
}

function hangUp(then) {
  const old = socket;
  [old.onclose, old.onmessage, socket] = [null, null, undefined];
  clearTimeout(watchdog);
  old.close();
  then();
}

// The connection is gone. It is tried again after 0.5 s, 1 s, 2 s ... 15 s, each a little different, so that not all
// clients of a server that was restarted come at the same moment.
function broken() {
  socket = undefined;
  clearTimeout(watchdog);
  brokenAt ??= Date.now();
  waiting.forEach((answer) => answer({ ok: false, lost: true }));
  waiting.clear();
  const delay = Math.min(15000, 500 * 2 ** attempts++) * (0.75 + Math.random() / 2);
  hooks.status(`connection lost: trying again in ${Math.ceil(delay / 1000)} s`, true);
  retry = setTimeout(connect, delay);
}
addEventListener('online', () => { if (!socket && kept.pid) connect(); });
