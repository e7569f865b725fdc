// The layers of one packet, drawn into the side panel.
//
// The page sees text and nothing below it. The header of the WebSocket frame is computed here as the browser must have
// sent it, in one frame; the mask is four random bytes of the browser's own for each frame, which no page gets to see.

const ENGINE = ['open', 'close', 'ping', 'pong', 'message', 'upgrade', 'noop'];
const SOCKET = ['CONNECT', 'DISCONNECT', 'EVENT', 'ACK', 'CONNECT_ERROR', 'BINARY_EVENT', 'BINARY_ACK'];

// The header of a frame (RFC 6455 §5.2): FIN and opcode 1 (text) are 0x81; then the mask bit, and the length in 7
// bits, or in 16 behind 126, or in 64 behind 127.
function frameHeader(length, isMasked) {
  const bytes = length < 126 ? [length] : length < 65536 ? [126, length >> 8, length & 255]
    : [127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((shift) => (length >>> shift) & 255)];
  if (isMasked) bytes[0] |= 128;
  return [129, ...bytes].map((byte) => byte.toString(16).padStart(2, '0'));
}

export function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children); // strings become text, never HTML
  return made;
}

export function showLayers(direction, packet, extensions) {
  const [length, isMasked] = [new TextEncoder().encode(packet).length, direction === 'sent'];
  const header = frameHeader(length, isMasked);
  const headerLength = header.length + (isMasked ? 4 : 0);
  const code = (text) => make('code', { textContent: text.length > 300 ? `${text.slice(0, 300)} …` : text });
  const layers = make('dl');
  const row = (layer, bytes, ...what) => layers.append(
    make('dt', { textContent: layer }), make('dd', {}, ...what), make('dd', { textContent: `${bytes} B` }));

  const [, type, id, body] = /^4(\d)(\d*)(.*)$/s.exec(packet) ?? [];
  if (type) {
    row('Socket.IO', length - 1, code(type + id + body), ` ${SOCKET[type] ?? ''}${id && `, number ${id}`}`);
    row('Engine.IO', '+1', code('4'), ' message');
  } else {
    row('Engine.IO', length, code(packet), ` ${ENGINE[packet[0]] ?? ''}`);
  }
  row('WebSocket', `+${headerLength}`, code(header.join(' ')), isMasked ? ' + 4 bytes of mask' : ' no mask',
    extensions ? `, one text frame, ${extensions}` : ', one text frame');
  const title = `${isMasked ? '↑' : '↓'} ${direction}: ${length + headerLength} bytes for TCP`;
  const panel = document.getElementById('packets');
  panel.prepend(make('li', {}, make('small', { textContent: title }), layers));
  while (panel.children.length > 30) panel.lastChild.remove();
}
