// What has not been read yet: how many messages in each place, and how many further down in the one that is shown.

import { $, el } from './dom.js';

const counts = new Map(); // by place: a room or a thread
let below = 0;

export const isCounted = (place) => counts.has(place);

export function count(place) {
  counts.set(place, (counts.get(place) ?? 0) + 1);
  showTitle();
}

export function forget(place) {
  counts.delete(place);
  showTitle();
}

// The mark beside the name of a place.
export function badge(place) {
  const unread = counts.get(place);
  return unread ? el('span', { className: 'unread' }, ` ${unread}`, el('span', { className: 'unseen' }, ' new')) : '';
}

// A browser shows the title where the page itself is not seen.
function showTitle() {
  const all = [...counts.values()].reduce((sum, unread) => sum + unread, 0);
  document.title = all ? `(${all}) netlayers chat` : 'netlayers chat';
}

export function countBelow() {
  below += 1;
  $('below').textContent = below === 1 ? '1 new message ↓' : `${below} new messages ↓`;
  $('below').hidden = false;
}

export function noneBelow() {
  below = 0;
  $('below').hidden = true;
}
