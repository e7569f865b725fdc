// The side panel: the last packets, layer by layer, with their bytes.
//
// A page gets the text and nothing below it. The header of the WebSocket frame is computed here, as it must have been
// sent, in one frame. The mask is four random bytes of the browser's own for each frame: no page gets to see it.

import { $, el } from './dom.js';
import { ENGINE, SOCKET } from './packets.js'; // what each type is called: made by the server, of the dissector's tables

// RFC 6455 §5.2: FIN and opcode 1 (text) are 81. Then the mask's bit, and the length: in 7 bits, or 126 and the length
// in 16 bits, or 127 and the length in 64.
function frameHeader(length, maskBit) {
  const hex = (number, bytes) => number.toString(16).padStart(2 * bytes, '0').match(/../g);
  if (length < 126) return ['81', ...hex(maskBit | length, 1)];
  if (length < 65536) return ['81', ...hex(maskBit | 126, 1), ...hex(length, 2)];
  return ['81', ...hex(maskBit | 127, 1), ...hex(length, 8)];
}

export function showLayers(direction, packet) {
  const isSent = direction === 'sent'; // only what a client sends is masked (§5.3)
  const length = new TextEncoder().encode(packet).length; // in UTF-8, which has more bytes than characters
  const header = frameHeader(length, isSent ? 0x80 : 0);
  const headerLength = header.length + (isSent ? 4 : 0);
  const title = `${isSent ? '↑' : '↓'} ${direction}: ${length + headerLength} bytes for TCP`;
  const table = el('table', {}, el('caption', {}, title));
  const layer = (name, bytes, code, meaning) => {
    const shown = code.length > 300 ? `${code.slice(0, 300)} …` : code;
    const what = el('td', {}, el('code', {}, shown), ` ${meaning}`);
    table.append(el('tr', {}, el('th', { scope: 'row' }, name), what, el('td', {}, `${bytes} B`)));
  };

  const [, type, number] = /^4(\d)(\d*)/.exec(packet) ?? [];
  if (type) layer('Socket.IO', length - 1, packet.slice(1), SOCKET[type] + (number && `, number ${number}`));
  layer('Engine.IO', type ? '+1' : length, type ? '4' : packet, ENGINE[packet[0]]);
  layer('WebSocket', `+${headerLength}`, header.join(' '), isSent ? '+ 4 bytes of mask' : 'no mask');
  $('packets').prepend(el('li', {}, table));
  $('packets').children[30]?.remove();
}
