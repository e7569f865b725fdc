// The page of the chat: what is seen, and what people do. The connection is in wire.js, the side panel in layers.js.
//
// Nothing that others said is ever read as HTML: it enters the page as text only, see `make`.

import { make } from './layers.js';
import { ask, connect, hooks, kept, save, transmit } from './wire.js';

const $ = (id) => document.getElementById(id);
const rooms = new Map(); // by name: people, entries of the log, and where its earlier history begins
let room; // the one that is shown
let recipient; // the person who is written to, if not the room

// ---- what comes ----

hooks.status = (text, isBroken = false) => {
  $('status').textContent = text;
  $('status').className = isBroken ? 'broken' : '';
};

hooks.connected = async (wasHere, isKnown) => {
  $('door').hidden = true;
  $('chat').hidden = false;
  hooks.status(`connected as ${kept.name}`);
  let fetched = 0;
  for (const name of [...kept.rooms]) fetched += await join(name);
  if (!room) show(kept.rooms[0]);
  if (wasHere && !isKnown) note(`Too late for a replay: ${fetched} messages came from the history.`, true);
  for (const { event } of [...kept.pending]) deliver(event);
  if (document.activeElement === document.body) $('text').focus();
};

hooks.replayed = (count, silence) => {
  const after = silence ? ` after ${Math.ceil(silence / 1000)} s` : '';
  note(`Back${after}: replayed ${count}, nothing is missing.`, true);
};

hooks.refused = (message) => {
  $('door').hidden = false;
  $('chat').hidden = true;
  $('name').value = kept.name;
  $('refused').textContent = message;
  hooks.status('not connected');
  $('name').focus();
};

hooks.heard = (event, data, isReplay) => {
  const people = rooms.get(data.room)?.people;
  switch (event) {
    case 'message':
      people?.set(data.from, {}); // who has said it does not type any more
      add(data.room, { ...data, isReplay });
      break;
    case 'private':
      kept.privates = [...kept.privates, data].slice(-100);
      return add(room ?? kept.rooms[0], { ...data, isReplay });
    case 'renamed': return renamed(data);
    case 'joined': people?.set(data.name, {}); break;
    case 'left': people?.delete(data.name); break;
    case 'away':
      for (const { people } of rooms.values()) if (people.has(data.name)) people.set(data.name, { away: data.on });
      break;
    case 'typing': // it is over after six seconds, unless it is said again
      people?.set(data.name, { typingUntil: data.on ? Date.now() + 6000 : 0 });
      setTimeout(showPeople, 6100);
  }
  if (event === 'joined' || event === 'left') add(data.room, { note: `${data.name} ${event}` });
  showPeople();
};

function renamed({ from, to }) {
  if (from === kept.name) kept.name = to;
  save();
  for (const { people } of rooms.values()) if (people.delete(from)) people.set(to, {});
  note(`${from} is now ${to}`);
  hooks.status(`connected as ${kept.name}`);
  showPeople();
}

// ---- rooms ----

// A room's place in the page; `isLoaded` when its history is here.
const place = () => ({ people: new Map(), entries: [], isLoaded: false });

// Enters a room, also again, and fetches what was said in it since we last saw it; how many messages that were.
async function join(name) {
  const here = rooms.get(name) ?? place();
  const since = here.isLoaded && here.entries.findLast(({ offset }) => offset)?.offset;
  let answer = await ask('join', name, since ? { since } : {});
  if (!answer.ok) {
    if (!answer.lost && !here.isLoaded) kept.rooms = kept.rooms.filter((other) => other !== name);
    return trouble(answer);
  }
  if (since > answer.end) { // this log is shorter than what we saw of it: it is a new one, and so is all that we show
    rooms.set(name, place());
    kept.privates = [];
    if (name === room) show(name);
    return join(name);
  }
  rooms.set(name, here);
  if (!kept.rooms.includes(name)) kept.rooms.push(name);
  save();
  const isBack = here.isLoaded;
  if (!isBack) Object.assign(here, { before: answer.next, more: answer.more, isLoaded: true });
  let fetched = 0;
  for (let page = answer.history; ; page = answer.messages) {
    fetched += page.length;
    page.forEach((message) => add(name, { ...message, isReplay: isBack }));
    if (!isBack || !answer.more) break;
    answer = await ask('history', name, { since: answer.next });
    if (!answer.ok) break;
  }
  const who = await ask('who', name);
  if (who.ok) here.people = new Map(who.here.map(({ name, away }) => [name, { away }]));
  if (name === room) $('older').hidden = !here.more;
  showRooms();
  showPeople();
  return fetched;
}

async function older() {
  const here = rooms.get(room);
  const answer = await ask('history', room, { before: here.before });
  if (!answer.ok) return;
  Object.assign(here, { before: answer.next, more: answer.more });
  const isNew = ({ offset }) => !here.entries.some((entry) => entry.offset === offset);
  here.entries.unshift(...answer.messages.filter(isNew).map((message) => ({ ...message, order: message.offset })));
  show(room);
}

// Sends what was said, and again after every break until it is answered: the server drops the copies by their id.
async function deliver(event) {
  const id = event.at(-1);
  const answer = await ask(...event);
  if (answer.lost) return;
  kept.pending = kept.pending.filter((pending) => pending.event.at(-1) !== id);
  save();
  if (!answer.ok) trouble(answer);
  showPending();
}

// ---- what is seen ----

function trouble({ error, lost }) {
  const said = error?.message ?? error ?? 'That did not work.';
  $('trouble').textContent = lost ? 'Not while the connection is lost.' : said;
  return 0;
}

const note = (text, isReplay) => add(room, { note: text, isReplay });

const toEnd = () => { $('scroll').scrollTop = $('scroll').scrollHeight; };

// Adds an entry to a room's log: once, and in the order of the offsets.
function add(name, entry) {
  const here = rooms.get(name);
  const isSame = ({ offset, at }) => offset === entry.offset && at === entry.at;
  if (!here || (entry.offset && here.entries.some(isSame))) return;
  kept.pending = kept.pending.filter(({ event }) => event.at(-1) !== entry.clientId);
  entry.order = entry.offset ?? parseInt(kept.offset ?? 0, 10) + 0.5; // a note comes after what was said before it
  let at = here.entries.length;
  while (at > 0 && here.entries[at - 1].order > entry.order) at -= 1;
  const isLast = at === here.entries.length;
  here.entries.splice(at, 0, entry);
  if (here.entries.length > 1000) here.entries.shift();
  if (name !== room) {
    here.unread ||= !entry.note;
    return showRooms();
  }
  if (!isLast) return show(room);
  const { scrollHeight, scrollTop, clientHeight } = $('scroll'); // as it was: who reads further up stays there
  $('log').append(line(entry));
  showPending();
  if (scrollHeight - scrollTop - clientHeight < 80 || entry.from === kept.name) toEnd();
}

function line({ note, from, to, text, at, isReplay, waits }) {
  const replay = isReplay ? ' replay' : '';
  if (note) return make('li', { className: `note${replay}`, textContent: note });
  const meta = make('span', { className: 'meta' });
  meta.append(make('b', { textContent: to ? `${from} to ${to}, in private` : from }), ' ');
  if (at) {
    const when = new Date(at);
    const clock = when.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
    meta.append(make('time', { dateTime: when.toISOString(), title: when.toLocaleString(), textContent: clock }));
  }
  if (isReplay) meta.append(' ', make('span', { className: 'tag', textContent: 'replayed' }));
  if (waits) meta.append(' not sent yet');
  const kind = to ? 'private' : from === kept.name ? 'own' : '';
  return make('li', { className: `${kind}${replay}${waits ? ' waits' : ''}` }, meta, make('p', { textContent: text }));
}

function showPending() {
  $('log').querySelectorAll('.waits').forEach((old) => old.remove());
  for (const { event: [kind, where, text] } of kept.pending) {
    const to = kind === 'msg' ? where : undefined;
    if (to || where === room) $('log').append(line({ from: kept.name, to, text, waits: true }));
  }
}

function show(name) {
  room = name;
  const here = rooms.get(name);
  if (!here) return;
  here.unread = false;
  $('here').textContent = `Room ${name}`;
  $('older').hidden = !here.more;
  $('scroll').setAttribute('aria-busy', 'true'); // a screen reader need not read all of it again
  $('log').replaceChildren(...here.entries.map(line));
  showPending();
  $('scroll').removeAttribute('aria-busy');
  toEnd();
  showRooms();
  showPeople();
}

function showRooms() {
  $('rooms').replaceChildren(...[...rooms].map(([name, { unread }]) => {
    const label = unread ? `${name} •` : name;
    const open = make('button', { type: 'button', textContent: label, onclick: () => show(name) });
    if (unread) open.setAttribute('aria-label', `${name}, new messages`);
    if (name === room) open.setAttribute('aria-current', 'true');
    const leave = make('button', { type: 'button', textContent: '×', onclick: () => leaveRoom(name) });
    leave.setAttribute('aria-label', `Leave ${name}`);
    return make('li', {}, open, leave);
  }));
}

function leaveRoom(name) {
  if (rooms.size === 1) return trouble({ error: 'Join another room before you leave the last one.' });
  ask('leave', name);
  rooms.delete(name);
  kept.rooms = kept.rooms.filter((other) => other !== name);
  save();
  show(name === room ? kept.rooms[0] : room);
}

function showPeople() {
  const people = [...rooms.get(room)?.people ?? []].sort(([a], [b]) => a.localeCompare(b));
  const typing = people.filter(([, { typingUntil }]) => typingUntil > Date.now()).map(([name]) => name);
  $('typing').textContent = typing.length ? `${typing.join(', ')} ${typing.length > 1 ? 'are' : 'is'} typing` : '';
  $('me').textContent = kept.name;
  $('count').textContent = `(${people.length})`;
  // Only when it has changed: a keyboard may be on one of these buttons.
  const wanted = JSON.stringify([kept.name, people.map(([name, { away }]) => [name, away])]);
  if ($('people').dataset.shown === wanted) return;
  $('people').dataset.shown = wanted;
  $('people').replaceChildren(...people.map(([name, { away }]) => {
    const properties = { type: 'button', disabled: name === kept.name, onclick: () => address(name) };
    const button = make('button', { ...properties, textContent: away ? `${name} (away)` : name });
    return make('li', { className: away ? 'away' : '' }, button);
  }));
}

// To one person, or to the room again.
function address(name) {
  recipient = name;
  $('to').textContent = name ? `In private to ${name}` : 'Message';
  $('everyone').hidden = !name;
  $('text').focus();
}

// ---- what people do ----

const on = (id, act) => $(id).addEventListener('submit', (event) => {
  event.preventDefault();
  $('trouble').textContent = '';
  act();
});

on('enter', () => {
  $('refused').textContent = '';
  kept.name = $('name').value.trim();
  if (!kept.rooms.length) kept.rooms = [$('first-room').value.trim()];
  hooks.status('connecting');
  connect();
});
on('join', async () => {
  const name = $('room').value.trim();
  $('room').value = '';
  await join(name);
  if (rooms.has(name)) show(name);
});
on('say', () => {
  const text = $('text').value;
  $('text').value = '';
  if (!text.trim()) return;
  const id = crypto.getRandomValues(new Uint32Array(3)).join('-'); // by which the server knows a copy
  const event = [recipient ? 'msg' : 'say', recipient ?? room, text, id];
  kept.pending.push({ event });
  save();
  showPending();
  toEnd();
  typedAt = 0;
  deliver(event);
});
on('nick', async () => {
  const answer = await ask('nick', $('new-name').value);
  if (answer.ok) $('new-name').value = '';
  else trouble(answer);
});
$('older').onclick = older;
$('everyone').onclick = () => address(undefined);

let typedAt = 0; // when we last said that we type: an event without an answer, which may get lost
$('text').oninput = () => {
  const isTyping = $('text').value !== '';
  if (recipient || (isTyping && Date.now() - typedAt < 3000)) return;
  typedAt = isTyping ? Date.now() : 0;
  transmit(`42${JSON.stringify(['typing', room, isTyping])}`);
};

$('name').value = kept.name;
if (kept.pid) { // a reload: the same person goes on
  [$('door').hidden, $('chat').hidden] = [true, false];
  kept.rooms.forEach((name) => rooms.set(name, place()));
  kept.privates.forEach((message) => add(kept.rooms[0], message));
  show(kept.rooms[0]);
  connect();
}
