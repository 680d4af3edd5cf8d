import { call, newKey } from './api.js';
import { drawWhenFree, element, redraw, replace } from './dom.js';
import * as words from './words.js';

// One fax: a story that moves by itself.
export function faxPlace(id, go) {
  const node = element('article', {}, element('p', { class: 'quiet' }, 'One moment…'));
  let stopped = false;
  let timer = 0;
  let shown = '';
  let lostSince = null;
  const note = element('div', { role: 'alert' });
  const live = element('p', { class: 'state', role: 'status' });
  const body = element('div', {});

  // Said anew, it would be read aloud anew.
  const tell = (problem) => {
    if (note.textContent !== (problem ? problem.message : '')) replace(note, problem && element('div', { class: 'note bad' }, element('p', {}, problem.message)));
  };

  // One for each visit: a second press, or one after an answer that was lost, is answered with the first one's fax.
  const resendKey = newKey();

  async function act(path, data) {
    try {
      tell(null);
      const answer = await call('POST', path, data, path.endsWith('/resend') ? { 'Idempotency-Key': resendKey } : {});
      if (answer.id !== id) go.to(`/fax/${answer.id}`);
      else show(answer);
      refresh();
    } catch (problem) {
      if (problem.status === 401) go.again(() => act(path, data), true);
      else tell(problem);
    }
  }

  async function remove() {
    try {
      await call('DELETE', `/api/faxes/${id}`);
      go.to(inbound ? '/received' : '/sent', true);
    } catch (problem) {
      if (problem.status === 401) go.again(remove, true);
      else tell(problem);
    }
  }

  // Asked where nothing was pressed before, with the focus on what does no harm; unanswered, the question goes.
  function makeSure(fax, wanted) {
    clearTimeout(unsure);
    sure = wanted ? Date.now() : 0;
    if (sure) unsure = setTimeout(() => { if (!stopped) makeSure(last, false); }, 20_000);
    show(fax);
    const buttons = [...body.querySelectorAll('.actions button')];
    if (sure) buttons.find((one) => one.textContent === 'Keep it').focus();
    else if (body.contains(document.activeElement) || document.activeElement === document.body) buttons.at(-1)?.focus();
  }

  // The second half of a double click was meant for what stood there before.
  const removeOnPurpose = () => { if (Date.now() - sure > 700) remove(); };

  let inbound = false;
  let sure = 0;  // since when it is asked whether to delete
  let unsure = 0;
  let last = null;
  let hasDocument = false;
  let saidRead = false;
  function actions(fax) {
    if (sure) {
      return element('div', { class: 'actions' }, element('p', { class: 'question' }, 'Delete this fax for good? It cannot be brought back.'),
        element('button', { class: 'button', type: 'button', onclick: () => makeSure(fax, false) }, 'Keep it'),
        element('button', { class: 'button danger', type: 'button', onclick: removeOnPurpose }, 'Delete for good'));
    }
    const open = element('a', { class: fax.direction === 'inbound' ? 'button main' : 'button', href: `/api/faxes/${fax.id}/document.pdf`, target: '_blank', rel: 'noopener' }, 'Open the document');
    const likely = [];
    const path = `/api/faxes/${fax.id}`;
    if (fax.direction === 'outbound') {
      if (!fax.final) {
        const tooLate = (fax.events || []).some((event) => event.what === 'Too late to cancel');
        likely.push(fax.cancel_requested ? element('span', { class: 'quiet' }, tooLate ? 'It was too late to cancel.' : 'Asked to cancel…') : element('button', { class: 'button', type: 'button', onclick: () => act(`${path}/cancel`) }, 'Cancel'));
      } else if (fax.status === 'unresolved') {
        likely.push(element('button', { class: 'button main', type: 'button', onclick: () => act(`${path}/settle`, { as: 'delivered' }) }, 'It arrived'),
          element('button', { class: 'button', type: 'button', onclick: () => act(`${path}/settle`, { as: 'failed' }) }, 'It did not arrive'),
          element('button', { class: 'button', type: 'button', onclick: () => act(`${path}/resend`) }, 'Send again'));
      } else {
        // What cannot be faxed cannot be faxed the second time.
        const another = fax.status === 'delivered' || (fax.cause && fax.cause.code.startsWith('document_'));
        likely.push(another ? element('a', { class: 'button main', href: '#/send' }, 'Send another')
          : element('button', { class: 'button main', type: 'button', onclick: () => act(`${path}/resend`) }, 'Send again'));
      }
      if (hasDocument) likely.push(open);
    } else {
      if (hasDocument) likely.push(open);
      if (fax.final) likely.push(element('button', { class: 'button', type: 'button', onclick: () => act(`${path}/read`, { read: !fax.read }) }, fax.read ? 'Mark as new' : 'Mark as read'));
    }
    if (fax.final) likely.push(element('button', { class: 'button', type: 'button', onclick: () => makeSure(fax, true) }, 'Delete'));
    return element('div', { class: 'actions' }, likely.slice(0, 3));
  }

  function show(fax) {
    redraw(node, () => draw(fax));
  }

  function draw(fax) {
    inbound = fax.direction === 'inbound';
    last = fax;
    if (fax.document !== undefined) hasDocument = fax.document;
    document.title = `${words.state(fax)[0]} – ${words.headline(fax)} – Faxline`;
    const key = JSON.stringify([fax, sure]);
    if (key === shown) return;
    shown = key;
    const tone = words.state(fax)[1];
    if (live.textContent !== words.sentence(fax)) live.textContent = words.sentence(fax);
    live.className = `state ${tone}`;
    const facts = [
      ['Pages', fax.pages === null ? 'not counted' : String(fax.pages)],
      fax.attempt > 1 ? ['Attempt', String(fax.attempt)] : null,
      fax.resend_of ? ['Sent again from', element('a', { href: `#/fax/${fax.resend_of}` }, 'an earlier fax')] : null,
    ].filter(Boolean);
    replace(body,
      fax.cause && fax.cause.advice && !(fax.next && /^Try again/.test(fax.cause.advice)) && fax.status !== 'delivered' && fax.status !== 'canceled' ? element('p', {}, fax.cause.advice) : null,
      element('dl', { class: 'facts' }, facts.flatMap(([term, value]) => [element('dt', {}, term), element('dd', {}, value)])),
      fax.next ? element('p', { class: 'next' }, element('span', { class: 'quiet' }, 'What comes next: '), fax.next.text, fax.next.at ? ` At ${words.moment(fax.next.at)}.` : '') : null,
      actions(fax),
      element('h2', {}, 'What happened'),
      element('ol', { class: 'events' }, (fax.events || []).map((event) => element('li', {}, element('time', { datetime: event.at }, words.moment(event.at)),
        element('span', {}, event.what, event.why ? element('span', { class: 'quiet' }, ` ${event.why}`) : null)))));
    replace(node, fax.practice ? element('p', { class: 'practice' }, 'PRACTICE LINE') : null, element('h1', { class: 'numbered' }, words.headline(fax)), live, note, body);
  }

  async function refresh() {
    clearTimeout(timer);
    if (stopped) return;
    let next = 1200;
    try {
      const fax = await call('GET', `/api/faxes/${id}?with=next`);
      if (stopped) return;
      if (lostSince) tell(null);
      lostSince = null;
      drawWhenFree(node, () => { if (!stopped) show(fax); });
      if (fax.final) next = 20000;
      if (fax.direction === 'inbound' && fax.status === 'received' && !fax.read && !sure) {
        // Opened is read; saying so once is enough.
        if (!saidRead) {
          saidRead = true;
          call('POST', `/api/faxes/${id}/read`, { read: true }).then(() => { go.changed(); refresh(); }).catch(() => { saidRead = false; });
        }
      }
    } catch (problem) {
      if (stopped) return;
      if (problem.status === 401) { go.again(refresh); return; }
      if (problem.status === 404) {
        replace(node, element('h1', {}, 'There is no such fax'), element('p', {}, 'It may have been deleted.'), element('p', {}, element('a', { href: '#/sent' }, 'To the sent faxes'), ' · ', element('a', { href: '#/received' }, 'To the received faxes')));
        return;
      }
      lostSince = lostSince || new Date();
      if (!node.contains(note)) replace(node, note);
      tell({ message: `The line has not been reachable since ${words.clock(lostSince)}. The fax goes on without this page; it is asked again by itself.` });
      next = 3000;
    }
    timer = setTimeout(refresh, next);
  }
  refresh();
  return { node, title: 'Fax', stop: () => { stopped = true; clearTimeout(timer); clearTimeout(unsure); } };
}
