// Elements from names, attributes and children. Text is always text, never markup.
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else if (key === 'class') node.className = value;
    else if (value === true) node.setAttribute(key, '');
    else node.setAttribute(key, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export function replace(parent, ...children) {
  parent.replaceChildren(...children.flat().filter(Boolean));
}

// Draws by `draw`; what has the focus within `parent` has it again, if it is still drawn, under the same words.
export function redraw(parent, draw) {
  const nameOf = (node) => node.getAttribute('aria-label') || node.getAttribute('href') || node.textContent;
  const held = parent.contains(document.activeElement) && document.activeElement !== parent ? document.activeElement : null;
  draw();
  if (!held || held.isConnected) return;
  const again = [...parent.querySelectorAll('a, button')].find((node) => nameOf(node) === nameOf(held));
  if (again) again.focus({ preventScroll: true });
}

// What is pressed must still be there when it is let go, else the press does nothing: `draw` waits for that, one for each `owner`.
const waiting = new Map();
let pressedSince = 0;
export function drawWhenFree(owner, draw) {
  waiting.delete(owner);  // an older one must not come after this one
  if (Date.now() - pressedSince > 10_000) draw();
  else waiting.set(owner, draw);
}
addEventListener('pointerdown', (event) => { if (event.button === 0) pressedSince = Date.now(); }, true);
for (const type of ['pointerup', 'pointercancel']) {
  // The click comes before a timer does.
  addEventListener(type, () => setTimeout(() => {
    pressedSince = 0;
    const draws = [...waiting.values()];
    waiting.clear();
    for (const draw of draws) draw();
  }), true);
}
