import { call } from './api.js';
import { element, replace } from './dom.js';
import { loginForm } from './login.js';
import { forgetDraft, restoreDraft } from './draft.js';
import { sendPlace } from './send.js';
import { faxPlace } from './fax.js';
import { listPlace } from './list.js';
import * as words from './words.js';

const main = document.getElementById('main');
const header = document.getElementById('header');
const strip = document.getElementById('strip');
const unread = document.getElementById('unread');
const told = element('div', { role: 'alert' });
let session = null;
let line = { number: null, practice: false, max_bytes: 0, unread: 0, state: 'ready' };
let place = null;
let lineTimer = 0;

const go = {
  to(path, instead = false) {
    if (instead) history.replaceState(null, '', `#${path}`);
    else history.pushState(null, '', `#${path}`);
    open(true);
  },
  replace(path) { history.replaceState(null, '', `#${path}`); },
  changed: () => refreshLine(),
  // What came of something that was begun in a place that is not open any more.
  tell(text, path, words) {
    replace(told, element('div', { class: 'note bad' }, element('p', {}, text), element('p', {}, element('a', { href: `#${path}` }, words))));
  },
  // The session has ended in the middle of something: log in above it, then go on. `asked`: by a press, so that the form
  // may take the focus from whatever has it.
  again(then, asked = false) {
    const waiting = document.querySelector('.again');
    if (waiting) { waiting.then.push(then); return; }
    const intro = element('p', {}, 'You have been logged out. Log in again; nothing you typed is lost.');
    const before = document.activeElement;
    const box = element('section', { class: 'again', 'aria-label': 'Log in again' }, loginForm(intro, (who) => {
      box.remove();
      if (who.username !== session.username) {
        enter(who);
        open(true);
        return;
      }
      if (before && before.isConnected) before.focus({ preventScroll: true });
      enter(who);
      for (const next of box.then) next();
    }, asked || !before || !before.matches('input')));
    box.then = [then];
    main.prepend(box);
  },
};

// Nobody would notice a fax that did not come.
function refusedNote(refused) {
  const head = refused.count > 1 ? `Faxes may be lost: ${refused.count} messages of the provider were refused.` : 'A fax may be lost: a message of the provider was refused.';
  return element('div', { class: 'note bad' },
    element('p', {}, element('strong', {}, head), ` The last: ${words.moment(refused.last)}.`),
    element('p', {}, refused.cause.text), element('p', {}, refused.cause.advice));
}

// Somebody waits for a notice that does not come.
function untoldNote(way) {
  const lost = way.given_up ? `, ${way.given_up} given up` : '';
  return element('div', { class: 'note' },
    element('p', {}, element('strong', {}, `Notices by ${way.way.replace(':', ' to ')} do not go out: ${way.waiting} waiting${lost}.`), ` ${way.text} The last try: ${words.moment(way.last)}.`));
}

function troubleNote(it) {
  // Nobody refuses a certificate of our own while all is practice.
  const kind = it.kind === 'certificate' && line.practice ? 'note' : 'note bad';
  return element('div', { class: kind }, element('p', {}, it.text), element('p', { class: 'quiet' }, `Since ${words.moment(it.since)}; last tried ${words.moment(it.last_try)}.`));
}

let shownLine = '';
function showLine() {
  // Said anew, it would be read aloud anew.
  const now = JSON.stringify(line);
  if (now === shownLine) return;
  shownLine = now;
  const trouble = line.state && line.state !== 'ready';
  replace(strip,
    line.practice ? element('span', { class: 'practice' }, 'PRACTICE LINE') : null,
    line.number ? element('span', { class: 'number' }, words.number(line.number)) : null,
    element('span', { class: trouble ? 'trouble' : '' }, line.text || (trouble ? line.state : 'ready')),
    (line.troubles || []).map(troubleNote),
    line.refused ? refusedNote(line.refused) : null,
    // What keeps mail out of the mailbox is said once.
    ...(line.notices || []).filter((way) => way.way !== 'maildir' || !(line.troubles || []).some((it) => it.kind === 'mailbox')).map(untoldNote));
  unread.hidden = !line.unread;
  unread.textContent = line.unread > 99 ? '99+' : String(line.unread || '');
  unread.setAttribute('aria-label', `${line.unread} new`);
}

async function refreshLine() {
  clearTimeout(lineTimer);
  if (!session) return;
  try {
    line = await call('GET', '/api/line');
  } catch (problem) {
    if (problem.status !== 401) line = { ...line, state: 'unreachable', text: 'The line cannot be reached from this page just now.' };
  }
  showLine();
  lineTimer = setTimeout(refreshLine, 10000);
}

function enter(who) {
  session = who;
  restoreDraft(who.username);
  header.hidden = false;
  document.getElementById('name').textContent = who.username;
}

function leave() {
  session = null;
  header.hidden = true;
  clearTimeout(lineTimer);
  if (place && place.stop) place.stop();
  place = null;
  document.title = 'Log in – Faxline';
  replace(main, loginForm(element('h1', {}, 'Faxline'), async (who) => {
    enter(who);
    await refreshLine();
    open(true);
  }));
}

function placeOf(path, parameters) {
  const fax = /^\/fax\/([0-9a-z]{1,40})$/.exec(path);
  if (fax) return faxPlace(fax[1], go);
  if (path === '/sent') return listPlace('outbound', line, go, parameters);
  if (path === '/received') return listPlace('inbound', line, go, parameters);
  return sendPlace(line, go, parameters);
}

function open(focus) {
  if (!session) return;
  if (place && place.stop) place.stop();
  const [path, query] = (location.hash.slice(1) || '/send').split('?');
  const waiting = document.querySelector('.again');
  place = placeOf(path, new URLSearchParams(query || ''));
  document.title = `${place.title} – Faxline`;
  for (const link of document.querySelectorAll('.places a')) {
    if (link.getAttribute('href') === `#${path}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  if (path === '/send') replace(told);
  replace(main, waiting, told, place.node);
  if (place.settle && place.settle()) return;
  window.scrollTo(0, 0);
  if (focus) main.focus({ preventScroll: true });
}

document.getElementById('logout').addEventListener('click', async () => {
  try {
    await call('DELETE', '/api/session');
    forgetDraft();
    leave();
  } catch (problem) {
    if (problem.status === 401) { forgetDraft(); leave(); }
    else { line = { ...line, state: 'unreachable', text: `You are still logged in: ${problem.message}` }; showLine(); }
  }
});
window.addEventListener('hashchange', () => open(true));
document.querySelector('.skip').addEventListener('click', (event) => { event.preventDefault(); main.focus(); });
// A file dropped beside its field must not replace the page.
for (const type of ['dragover', 'drop']) window.addEventListener(type, (event) => event.preventDefault());

async function start() {
  try {
    enter(await call('GET', '/api/session'));
    await refreshLine();
    open(false);
  } catch (problem) {
    if (problem.status === 401) { leave(); return; }
    replace(main, element('div', { class: 'note bad' }, element('p', {}, problem.message), element('p', {}, 'This page tries again by itself.')));
    setTimeout(start, 3000);
  }
}
start();
