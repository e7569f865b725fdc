// The page of the chat: what is seen, and what people do. Its connection is in socketio.js, the panel in layers.js.

import { $, el, inOrder, refill } from './dom.js';
import { showLayers } from './layers.js';
import { SocketIO } from './socketio.js';
import { badge, count, countBelow, forget, isCounted, noneBelow } from './unread.js';

// What a reload must not lose: who we are (name, pid, offset), our rooms and the one that we are in, the person whose
// thread is shown instead, what the server has not acknowledged yet, and private messages, which no room's history has.
const kept = { me: {}, rooms: [], unjoined: [], room: '', thread: '', pending: [], privates: [] };
try { Object.assign(kept, JSON.parse(sessionStorage.chat)); } catch { /* the first visit */ }
kept.privates.forEach((said) => { said.isReplay = false; }); // that was before
function keep() {
  try { sessionStorage.chat = JSON.stringify(kept); } catch { /* then a reload forgets */ }
}
addEventListener('pagehide', keep);

const { me } = kept;
// By this the server recognises what we repeat after a break. It is ours alone.
me.client ??= crypto.getRandomValues(new Uint32Array(4)).join('-');
let people = new Map(); // in the room that is shown, by name
let oldest; // the offset at which the log that is shown begins; none before the first one is
let missed = 0; // events, while we were away
let brokenAt; // when the connection was lost
let typedAt = 0; // when we last sent that we type
let askedAt = 0; // when we last asked which rooms there are

// Places where something is said: rooms, and threads of private messages. One of them is shown.
const inRoom = (name) => `#${name}`;
const inThread = (name) => `@${name}`;
const shown = () => (kept.thread ? inThread(kept.thread) : inRoom(kept.room));
const partner = ({ from, to }) => (from === me.name ? to : from);

const isAtEnd = () => $('scroll').scrollHeight - $('scroll').scrollTop - $('scroll').clientHeight < 80;
const toEnd = () => { $('scroll').scrollTop = $('scroll').scrollHeight; };
const trouble = ({ error = '' }) => { $('trouble').textContent = error.message ?? error; };

const io = new SocketIO(me, {
  packet: showLayers,

  async connected(isRecovered, since) {
    const silence = brokenAt ? ` after ${Math.ceil((Date.now() - brokenAt) / 1000)} s` : '';
    brokenAt = undefined;
    showStatus();
    if (!isRecovered) { // to the server we are a new client, in no room
      kept.unjoined = [...kept.rooms.filter((name) => name !== kept.room), kept.room];
    }
    if (!kept.unjoined.length) await (oldest === undefined ? show(kept.room) : askWho());
    askRooms();
    while (kept.unjoined.length && !brokenAt) {
      await join(kept.unjoined[0], since);
      if (!brokenAt) kept.unjoined.shift();
    }
    if (brokenAt) return; // again
    if (isRecovered) add({ note: `Back${silence}: replayed ${missed}, nothing is missing.`, isReplay: true });
    else if (!since) $('text').focus();
    else add({ note: `Too late for a replay: ${missed} messages came from the history.`, isReplay: true });
    missed = 0;
    kept.pending.forEach(deliver);
  },

  event(name, data, isReplay) {
    missed += isReplay;
    heard[name]?.({ ...data, isReplay });
    keep();
  },

  refused(why) {
    showStatus();
    $('refused').textContent = why;
    $('name').focus();
  },

  broken(seconds) {
    brokenAt ??= Date.now();
    showStatus(`connection lost: trying again in ${seconds} s`);
  },
});
addEventListener('online', () => brokenAt && io.connect());

// What the server says.
const heard = {
  message(said) {
    settle(said.clientId);
    seen(said.room, said.from, {}); // its sender types no more
    hear(said, inRoom(said.room));
  },
  private(said) {
    kept.privates = [...kept.privates, said].slice(-300);
    settle(said.clientId);
    hear(said, inThread(partner(said)));
  },
  joined: ({ room, name }) => seen(room, name, {}, ' joined'),
  left: ({ room, name }) => seen(room, name, undefined, ' left'),
  away: ({ name, on }) => people.has(name) && seen(kept.room, name, { isAway: on }),
  typing({ room, name, on }) {
    seen(room, name, { typingUntil: on ? Date.now() + 6000 : 0 });
    setTimeout(showPeople, 6100); // it is over by itself, unless it is said again
  },
  renamed({ from, to }) {
    if (me.name === from) me.name = to;
    const now = (name) => (name === from ? to : name);
    kept.privates = kept.privates.map((said) => ({ ...said, from: now(said.from), to: now(said.to) }));
    if (kept.thread === from) address(to);
    showPlaces();
    if (people.delete(from)) seen(kept.room, to, {}, ` was ${from} until now`);
    showStatus();
  },
};

// A message, in its place: shown there, or counted as unread.
function hear(said, where) {
  const isShown = where === shown();
  if (isShown) add(said);
  if (isShown && !document.hidden) return;
  if (said.from !== me.name) count(where);
  showPlaces();
}

// Joins a room, and shows it; how much of its history, see `show`.
async function join(name, since) {
  const answer = await io.ask('join', name);
  trouble(answer);
  if (answer.lost) return;
  kept.rooms = kept.rooms.filter((other) => other !== name);
  if (!answer.ok) return;
  kept.rooms.push(name);
  if (answer.end < since) kept.privates = []; // the server has begun a new log, and these are of the old one
  await show(name, since);
  askRooms();
}

async function leave(name) {
  if (kept.rooms.length === 1) return trouble({ error: 'Join another room before you leave the last one.' });
  const answer = await io.ask('leave', name);
  trouble(answer);
  if (answer.lost) return;
  kept.rooms = kept.rooms.filter((other) => other !== name);
  forget(inRoom(name));
  if (name === kept.room) show(kept.rooms[0]);
  askRooms();
}

// Shows a room with its history: the last page, and more when what came `since` begins before it.
async function show(name, since) {
  const page = await io.ask('history', name);
  if (!page.ok) return trouble(page);
  kept.room = name;
  begin('');
  oldest = Infinity;
  read(page, since);
  while (oldest > since && !$('older').hidden && await older(since)) ;
  finish();
  await askWho();
}

// Shows the private messages with one person, in a thread of their own.
function address(name) {
  begin(name);
  $('older').hidden = true; // they are in no history
  $('log').append(...kept.privates.filter((said) => partner(said) === name).map(line));
  finish();
  showPeople();
  $('text').focus();
}

// The log is empty, and is to show the room, or the thread of a person.
function begin(thread) {
  kept.thread = thread;
  $('here').replaceChildren(thread ? 'In private with ' : 'Room ', el('b', {}, thread || kept.room));
  $('to').replaceChildren(thread ? 'In private to ' : 'Message', el('b', {}, thread));
  $('back').replaceChildren('Back to ', el('b', {}, kept.room));
  $('back').hidden = !thread;
  $('scroll').ariaLive = 'off'; // a screen reader is to read what is added, and not all that is there already
  setTimeout(() => { $('scroll').ariaLive = 'polite'; }, 1000);
  $('log').replaceChildren();
}

function finish() {
  kept.pending.forEach(wait);
  toEnd();
  seenAll();
}

// What is shown is read to its end.
function seenAll() {
  noneBelow();
  forget(shown());
  showPlaces();
}

// Puts a page of history before what is shown. The reader's place is kept.
function read({ messages, next, more }, since) {
  messages.forEach(({ clientId }) => settle(clientId)); // it had come: only the answer to it was lost
  const { scrollHeight, scrollTop } = $('scroll');
  $('log').prepend(...messages.map((one) => line({ ...one, isReplay: one.offset > since })));
  $('scroll').scrollTop = scrollTop + $('scroll').scrollHeight - scrollHeight;
  $('older').hidden = !more;
  oldest = next;
  missed += messages.filter(({ offset }) => offset > since).length;
}

async function older(since) {
  const { room } = kept;
  const page = await io.ask('history', room, { before: oldest });
  trouble(page);
  const isShown = page.ok && shown() === inRoom(room); // it may be another place by now
  if (isShown) read(page, since);
  return isShown;
}

// The rooms that we are in, and the threads.
function showPlaces() {
  const place = (name, where, onclick) => {
    const open = el('button', { name: `open ${where}`, type: 'button', onclick }, el('b', {}, name), badge(where));
    if (where === shown()) open.ariaCurrent = 'true';
    return open;
  };
  refill($('rooms'), kept.rooms.map((name) => {
    const open = place(name, inRoom(name), () => show(name));
    const close = { name: `leave ${name}`, type: 'button', ariaLabel: `Leave ${name}`, onclick: () => leave(name) };
    return el('li', {}, open, el('button', close, '×'));
  }));
  const partners = new Set([...kept.privates.map(partner), ...(kept.thread ? [kept.thread] : [])]);
  refill($('threads'), inOrder(partners, (name) => name).map((name) =>
    el('li', {}, place(name, inThread(name), () => address(name)))));
  $('in-private').hidden = !partners.size;
}

// The rooms that exist, and that we are not in. Nobody tells when there is one more, so we ask when somebody looks.
async function askRooms() {
  askedAt = Date.now();
  const { rooms } = await io.ask('rooms');
  if (!rooms) return;
  const others = inOrder(rooms.filter(({ room }) => !kept.rooms.includes(room)), ({ room }) => room);
  refill($('others'), others.map(({ room, here }) => {
    const properties = { name: `join ${room}`, type: 'button', onclick: () => join(room) };
    return el('li', {}, el('button', properties, el('b', {}, room), ' ', el('small', {}, `${here} here`)));
  }));
  $('no-others').hidden = others.length > 0;
}

async function askWho() {
  const { here } = await io.ask('who', kept.room);
  if (here) people = new Map(here.map(({ name, away }) => [name, { isAway: away }]));
  showPeople();
}

// Shows a person in a room with a state; without one, removes the person.
function seen(room, name, state, news) {
  if (room !== kept.room) return;
  if (state) people.set(name, state);
  else people.delete(name);
  if (news && !kept.thread) add({ note: el('b', {}, name), news });
  showPeople();
}

function showPeople() {
  const sorted = inOrder(people, ([name]) => name);
  const typing = sorted.filter(([, { typingUntil }]) => typingUntil > Date.now()).map(([name]) => name);
  const verb = ['', ' is typing', ' are typing'][Math.min(2, typing.length)];
  $('typing').hidden = Boolean(kept.thread);
  $('typing').replaceChildren(...typing.map((name) => el('b', {}, name)), verb);
  $('me').textContent = me.name;
  $('count').textContent = `(${people.size})`;
  refill($('people'), sorted.map(([name, { isAway }]) => {
    const properties = { name, type: 'button', disabled: name === me.name, onclick: () => address(name) };
    const button = el('button', properties, el('b', {}, name), isAway ? ' (away)' : '');
    return el('li', { className: isAway ? 'away' : '' }, button);
  }));
}

// Puts a message or a note at the end of the log, before what waits to be sent. A reader further up stays there, and is
// told that there is more.
function add(entry) {
  const wasAtEnd = isAtEnd();
  const waiting = $('log').querySelector('.waits');
  const last = waiting ? waiting.previousElementSibling : $('log').lastElementChild;
  // When a class comes in, one line says it.
  if (entry.news && last?.news === entry.news && !entry.isReplay) last.insertBefore(entry.note, last.lastChild);
  else $('log').insertBefore(line(entry), entry.isWaiting ? null : waiting);
  if (wasAtEnd) toEnd();
  else if (!entry.note && entry.from !== me.name) countBelow();
  if ($('log').children.length > 1000) $('log').firstChild.remove(); // it is there when the room is shown again
}

function line({ note, news, from, to, text, at, clientId, isReplay, isWaiting }) {
  const kind = note ? 'note' : isWaiting ? 'waits' : to ? 'private' : from === me.name ? 'own' : '';
  const properties = { clientId, className: isReplay ? `${kind} replay` : kind };
  if (note) return el('li', { ...properties, news }, note, news ?? '');
  const when = new Date(at ?? Date.now());
  const dateStyle = when.toDateString() === new Date().toDateString() ? undefined : 'short';
  const clock = when.toLocaleString([], { dateStyle, timeStyle: 'short' });
  const meta = el('span', { className: 'meta' }, el('b', {}, from), ' ');
  meta.append(isWaiting ? 'not sent yet' : el('time', { dateTime: when.toISOString() }, clock), ' ');
  if (isReplay) meta.append(el('span', { className: 'tag' }, 'replayed'));
  return el('li', properties, meta, el('p', { dir: 'auto' }, text));
}

// Says what waits, upon every connection, until it is answered: the server drops the copies by their id.
async function deliver(event) {
  const answer = await io.ask(...event);
  if (answer.lost) return;
  settle(event.at(-1));
  trouble(answer);
}

function wait([kind, where, text, clientId]) {
  const place = kind === 'msg' ? inThread(where) : inRoom(where);
  if (place === shown()) add({ from: me.name, text, clientId, isWaiting: true });
}

// It waits no more.
function settle(id) {
  kept.pending = kept.pending.filter((event) => event.at(-1) !== id);
  $('log').querySelectorAll('.waits').forEach((line) => line.clientId === id && line.remove());
}

// What people do, by the form that they send.
const submitted = {
  enter() {
    me.name = $('name').value.trim();
    kept.room = $('first-room').value.trim();
    kept.rooms = [kept.room];
    $('refused').textContent = '';
    showStatus('connecting');
    io.connect();
  },
  async join() {
    const name = $('room').value.trim();
    $('room').value = '';
    await join(name);
  },
  say() {
    const text = $('text').value.replace(/^\s*\/\//, '/'); // two slashes say one, as in the terminal
    if (!text.trim()) return;
    if (/^\s*\/\w/.test($('text').value)) { // what is meant for one must not go to all
      return trouble({ error: 'Commands such as /msg are the terminal’s. Here: choose a person or a room beside the log.' });
    }
    trouble({});
    $('text').value = '';
    const id = crypto.getRandomValues(new Uint32Array(3)).join('-'); // by which the server knows a copy
    const event = [kept.thread ? 'msg' : 'say', kept.thread || kept.room, text, id];
    kept.pending.push(event);
    setTimeout(() => kept.pending.includes(event) && wait(event), 300); // seldom: the answer comes sooner
    typedAt = 0;
    toEnd();
    deliver(event);
  },
  async nick() {
    const answer = await io.ask('nick', $('new-name').value);
    trouble(answer);
    if (answer.ok) $('new-name').value = '';
  },
};
document.onsubmit = (event) => {
  event.preventDefault();
  submitted[event.target.id]();
};
$('older').onclick = () => older();
$('back').onclick = () => show(kept.room);
$('below').onclick = toEnd;
$('scroll').onscroll = () => !document.hidden && isAtEnd() && (isCounted(shown()) || !$('below').hidden) && seenAll();
document.onvisibilitychange = () => $('scroll').onscroll();
// The list of rooms is asked for when somebody comes to it.
$('find').open = matchMedia('(min-width: 60rem)').matches;
for (const sign of ['pointerenter', 'focusin', 'toggle']) {
  $('find').addEventListener(sign, () => Date.now() - askedAt > 2000 && askRooms());
}
$('text').oninput = () => {
  const isTyping = $('text').value !== '';
  if (kept.thread || (isTyping && Date.now() - typedAt < 3000)) return;
  typedAt = isTyping ? Date.now() : 0;
  io.tell('typing', kept.room, isTyping);
};

function showStatus(text) {
  $('status').textContent = text ?? (me.pid ? `connected as ${me.name}` : 'not connected');
  $('status').className = brokenAt ? 'broken' : '';
  $('door').hidden = Boolean(me.pid);
  $('chat').hidden = !me.pid;
}

$('name').value = me.name ?? '';
if (me.pid) io.connect(); // a reload: the same person goes on
showStatus(me.pid && 'connecting');
