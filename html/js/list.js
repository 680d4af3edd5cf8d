import { call, newKey } from './api.js';
import { drawWhenFree, element, redraw, replace } from './dom.js';
import * as words from './words.js';
import { practicePage } from './practice.js';

// Sent or received faxes, newest first, fifty and then more.
export function listPlace(direction, line, go, parameters) {
  const inbound = direction === 'inbound';
  const title = inbound ? 'Received' : 'Sent';
  const search = element('input', { type: 'search', placeholder: 'Search by number', 'aria-label': 'Search by number', value: parameters.get('q') || '' });
  const lines = element('ul', { class: 'lines' });
  const below = element('div', { role: 'status' });
  const more = element('button', { class: 'button', type: 'button', onclick: () => load(true) }, 'Show more');
  const node = element('section', {}, element('h1', {}, title), search, lines, below);
  let faxes = [];
  let next = null;
  let stopped = false;
  let timer = 0;
  let shown = '';

  function row(fax) {
    const [word, tone] = words.state(fax);
    return element('li', { class: inbound && !fax.read && fax.final ? 'unread' : '' }, element('a', { href: `#/fax/${fax.id}` },
      element('span', { class: 'who' }, words.number(inbound ? fax.from : fax.to)),
      element('span', { class: `what-became ${tone}` }, word),
      element('span', { class: 'pages' }, words.pages(fax.pages)),
      element('time', { class: 'when', datetime: fax.created }, words.when(fax.created))));
  }

  function empty() {
    if (search.value.trim()) return element('p', { class: 'empty' }, `No fax ${inbound ? 'from' : 'to'} a number with “${search.value.trim()}” in it.`);
    if (!inbound) return element('div', { class: 'empty' }, element('p', {}, 'Nothing sent yet. What you send appears here, with what became of it.'), element('a', { class: 'button main', href: '#/send' }, 'Send a fax'));
    return element('div', { class: 'empty' }, element('p', {}, `Nothing yet. Faxes to ${words.number(line.number)} appear here by themselves, and in the mailbox.`),
      line.practice ? element('button', { class: 'button main', type: 'button', onclick: arrive }, 'Make one arrive') : null);
  }

  async function arrive(event) {
    const button = event.currentTarget;
    button.disabled = true;
    try {
      const form = new FormData();
      form.append('to', line.number);
      form.append('file', practicePage(), 'practice.pdf');
      const answer = await fetch('/api/faxes', { method: 'POST', body: form, headers: { 'Idempotency-Key': newKey() } });
      if (!answer.ok) throw new Error();
      button.textContent = 'It is on its way; it takes a few seconds…';
    } catch {
      button.disabled = false;
      button.textContent = 'That did not work. Try again';
    }
  }

  function show() {
    const key = JSON.stringify([faxes, next, search.value]);
    if (key === shown || stopped) return;
    shown = key;
    redraw(node, () => {
      replace(lines, faxes.map(row));
      lines.hidden = faxes.length === 0;
      replace(below, faxes.length === 0 ? empty() : next !== null ? more : null);
    });
  }

  let asked = 0;
  async function load(further) {
    clearTimeout(timer);
    const mine = ++asked;
    const query = new URLSearchParams({ direction, limit: '50', with: 'next' });
    if (search.value.trim()) query.set('q', search.value.trim());
    if (further && next !== null) query.set('before', next);
    try {
      const answer = await call('GET', `/api/faxes?${query}`);
      if (stopped || mine !== asked) return;
      if (further) {
        const seen = new Set(faxes.map((fax) => fax.id));
        faxes = faxes.concat(answer.faxes.filter((fax) => !seen.has(fax.id)));
        next = answer.next;
      } else {
        // Pages that were opened further down stay.
        const fresh = new Set(answer.faxes.map((fax) => fax.id));
        const older = faxes.length > 50 && answer.faxes.length ? faxes.filter((fax) => !fresh.has(fax.id) && fax.id < answer.faxes.at(-1).id) : [];
        if (!older.length) next = answer.next;
        faxes = answer.faxes.concat(older);
      }
      drawWhenFree(node, show);
    } catch (problem) {
      if (stopped || mine !== asked) return;
      if (problem.status === 401) { go.again(() => load(further)); return; }
      if (!faxes.length) replace(below, element('div', { class: 'note bad' }, element('p', {}, problem.message)));
    }
    timer = setTimeout(() => load(false), 4000);
  }

  let typing = 0;
  search.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      go.replace(search.value.trim() ? `/${title.toLowerCase()}?q=${encodeURIComponent(search.value.trim())}` : `/${title.toLowerCase()}`);
      faxes = [];
      next = null;
      load(false);
    }, 250);
  });
  const watcher = new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting) && next !== null) load(true); });
  watcher.observe(more);
  load(false);
  return { node, title, stop: () => { stopped = true; clearTimeout(timer); watcher.disconnect(); } };
}
