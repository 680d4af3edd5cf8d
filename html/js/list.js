import { call, newKey } from './api.js';
import { drawWhenFree, element, redraw, replace } from './dom.js';
import * as words from './words.js';
import { practicePage } from './practice.js';

// What a list showed when one of its lines was opened, for the way back to it.
const left = new Map();
const pageLength = 50;

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
  let older = [];  // the pages below the first: what to ask for each, the ids that it had
  let stopped = false;
  let timer = 0;
  let shown = '';

  function row(fax) {
    const [word, tone] = words.state(fax);
    return element('li', { class: inbound && !fax.read && fax.final ? 'unread' : '' }, element('a', { href: `#/fax/${fax.id}`, onclick: () => remember(fax.id) },
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
      if (answer.status === 401) {
        button.disabled = false;
        go.again(() => button.click(), true);
        return;
      }
      if (!answer.ok) throw new Error((await answer.json()).detail);
      button.textContent = 'It is on its way; it takes a few seconds…';
    } catch (problem) {
      button.disabled = false;
      button.textContent = 'Try again';
      button.after(element('p', { class: 'said error', role: 'alert' }, problem instanceof TypeError ? 'The line cannot be reached. Check the network.' : problem.message));
    }
  }

  // Of this entry in the browser's history, so that Back finds it and a new visit does not.
  function remember(id) {
    history.replaceState({ y: window.scrollY, id }, '');
    left.set(title, { q: search.value.trim(), faxes, next, older });
  }

  function settle() {
    const state = history.state;
    const was = left.get(title);
    if (!state || !state.id || !was || was.q !== search.value.trim()) return false;
    ({ faxes, next, older } = was);
    show();
    window.scrollTo(0, state.y);
    const link = lines.querySelector(`a[href="#/fax/${state.id}"]`);
    if (link) link.focus({ preventScroll: true });
    return true;
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

  // One page below the first at a time: those with faxes under way first, then each in its turn.
  async function lookBelow(mine) {
    const moving = new Set(faxes.filter((fax) => !fax.final).map((fax) => fax.id));
    const page = older.find((one) => one.ids.some((id) => moving.has(id))) || older[0];
    older = older.filter((one) => one !== page).concat(page);
    const query = new URLSearchParams({ direction, limit: String(pageLength), with: 'next', before: page.before });
    if (search.value.trim()) query.set('q', search.value.trim());
    const answer = await call('GET', `/api/faxes?${query}`);
    if (stopped || mine !== asked) return;
    const now = new Map(answer.faxes.map((fax) => [fax.id, fax]));
    const had = new Set(page.ids);
    const end = answer.next === null ? '' : answer.faxes.at(-1)?.id ?? '';
    faxes = faxes.filter((fax) => !had.has(fax.id) || now.has(fax.id) || fax.id < end).map((fax) => now.get(fax.id) || fax);
    drawWhenFree(node, show);
  }

  let asked = 0;
  async function load(further) {
    clearTimeout(timer);
    const mine = ++asked;
    const query = new URLSearchParams({ direction, limit: String(pageLength), with: 'next' });
    if (search.value.trim()) query.set('q', search.value.trim());
    if (further && next !== null) query.set('before', next);
    try {
      const answer = await call('GET', `/api/faxes?${query}`);
      if (stopped || mine !== asked) return;
      if (further) {
        const seen = new Set(faxes.map((fax) => fax.id));
        older.push({ before: next, ids: answer.faxes.map((fax) => fax.id) });
        faxes = faxes.concat(answer.faxes.filter((fax) => !seen.has(fax.id)));
        next = answer.next;
      } else {
        // Pages that were opened further down stay.
        const fresh = new Set(answer.faxes.map((fax) => fax.id));
        const below = older.length && answer.faxes.length ? faxes.filter((fax) => !fresh.has(fax.id) && fax.id < answer.faxes.at(-1).id) : [];
        if (!below.length) {
          next = answer.next;
          older = [];
        }
        faxes = answer.faxes.concat(below);
      }
      drawWhenFree(node, show);
      if (!further && older.length) await lookBelow(mine);
      if (stopped || mine !== asked) return;
    } catch (problem) {
      if (stopped || mine !== asked) return;
      if (problem.status === 401) { go.again(() => load(further)); return; }
      if (faxes.length) return void (timer = setTimeout(() => load(false), 4000));
      // Nothing of an older search stands under the words of this one.
      shown = '';
      replace(lines);
      lines.hidden = true;
      if (below.textContent !== problem.message) replace(below, element('div', { class: 'note bad' }, element('p', {}, problem.message)));
    }
    timer = setTimeout(() => load(false), 4000);
  }

  let typing = 0;
  search.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      go.replace(search.value.trim() ? `/${title.toLowerCase()}?q=${encodeURIComponent(search.value.trim())}` : `/${title.toLowerCase()}`);
      faxes = [];
      older = [];
      next = null;
      load(false);
    }, 250);
  });
  const watcher = new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting) && next !== null) load(true); });
  watcher.observe(more);
  load(false);
  return { node, title, settle, stop: () => { stopped = true; clearTimeout(timer); watcher.disconnect(); } };
}
