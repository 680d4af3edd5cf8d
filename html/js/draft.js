import { call, newKey } from './api.js';
import * as words from './words.js';

// What is chosen and typed outlives a walk to another place and back, and a reload. What moves shows itself by `show`, in
// the place that is open then; `form` is the one that shows it.
export const draft = { papers: [], to: '', key: newKey(), sending: '', problem: null, form: null, show: () => {} };

const storage = 'faxline.draft';
let owner = '';

const isOpen = () => Boolean(draft.form && draft.form.isConnected);

// Whatever is another fax has another key: pressed twice with the same one, it is one fax.
export function changed() {
  draft.key = newKey();
  draft.problem = null;
  keep();
}

// For a reload of this tab alone, and for the person who is logged in alone.
export function keep() {
  const papers = draft.papers.filter((paper) => paper.id && !paper.problem).map(({ id, name, bytes, pages, warning, progress }) => ({ id, name, bytes, pages, warning, progress, problem: '' }));
  try {
    sessionStorage.setItem(storage, JSON.stringify({ owner, papers, to: draft.to, key: draft.key }));
  } catch { /* a browser that keeps nothing: the draft lives as long as the page */ }
}

export function restoreDraft(username) {
  if (owner === username) return;
  if (owner) forgetDraft();
  owner = username;
  try {
    const kept = JSON.parse(sessionStorage.getItem(storage));
    if (kept && kept.owner === owner) Object.assign(draft, { papers: kept.papers, to: kept.to, key: kept.key });
  } catch { /* not what this page wrote */ }
}

// The next one who logs in here is not shown what the last one left.
export function forgetDraft() {
  for (const paper of draft.papers) if (paper.upload) paper.upload.cancel();
  empty();
  owner = '';
  try { sessionStorage.removeItem(storage); } catch { /* nothing is kept */ }
}

function empty() {
  Object.assign(draft, { papers: [], to: '', key: newKey(), problem: null });
  keep();
}

// Sends what the draft is at this moment, once, wherever one goes meanwhile. What comes of it is told in the place that is
// open then; what was typed for the next fax stays.
export function deliver(go, body = { to: draft.to.trim(), documents: draft.papers.map((paper) => paper.id) }, key = draft.key) {
  if (draft.sending) return;
  draft.sending = key;
  draft.problem = null;
  keep();
  draft.show();
  call('POST', '/api/faxes', body, { 'Idempotency-Key': key }).then((fax) => {
    draft.sending = '';
    if (draft.key === key) {
      const shown = isOpen();
      empty();
      if (shown) go.to(`/fax/${fax.id}`, true);
    } else draft.show();
  }, (problem) => {
    draft.sending = '';
    if (problem.status === 401) {
      go.again(() => deliver(go, body, key), true);
      draft.show();
      return;
    }
    const unchanged = draft.key === key;
    if (unchanged) draft.problem = problem;
    draft.show();
    if (!unchanged || !isOpen()) go.tell(`The fax to ${words.number(body.to)} was not taken: ${problem.message}`, '/send', 'To that fax');
  });
}
