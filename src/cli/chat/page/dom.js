export const $ = (id) => document.getElementById(id);

// Makes an element. Its children are elements, or strings, which become text: what others say is never read as HTML.
export function el(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// As people sort: capitals do not matter, and 2 comes before 10.
const collator = new Intl.Collator([], { numeric: true });
export const inOrder = (items, nameOf) => [...items].sort((a, b) => collator.compare(nameOf(a), nameOf(b)));

// Refills a list, and leaves the keyboard on the button where it was.
export function refill(list, items) {
  const held = list.contains(document.activeElement) && document.activeElement.name;
  list.replaceChildren(...items);
  if (held) list.querySelector(`[name="${CSS.escape(held)}"]`)?.focus();
}
