import { call, upload } from './api.js';
import { changed, deliver, draft, keep } from './draft.js';
import { drawWhenFree, element, redraw, replace } from './dom.js';
import * as words from './words.js';

const waitFor = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export function sendPlace(line, go, parameters) {
  if (parameters.get('to')) { draft.to = parameters.get('to'); changed(); }
  const note = element('div', { role: 'alert' });
  const list = element('ul', { class: 'papers' });
  const files = element('input', { type: 'file', id: 'file', accept: 'application/pdf,.pdf', multiple: true, 'aria-describedby': 'file-said' });
  const drop = element('div', { class: 'drop' }, element('strong', {}, 'Choose a PDF'), element('span', { class: 'quiet' }, 'or drop it here'), files);
  const fileSaid = element('p', { class: 'said', id: 'file-said', role: 'status' });
  const to = element('input', { type: 'tel', id: 'to', autocomplete: 'tel', inputmode: 'tel', value: draft.to, placeholder: 'Any notation', 'aria-describedby': 'to-said' });
  const toSaid = element('p', { class: 'said', id: 'to-said', role: 'status' });
  const recent = element('div', { class: 'recent', role: 'group', 'aria-label': 'Recent numbers' });
  const button = element('button', { class: 'button main wide', type: 'submit' }, 'Send');
  const form = element('form', { class: 'column', novalidate: true, onsubmit: send },
    element('h1', {}, 'Send a fax'),
    element('div', { class: 'field' }, element('label', { for: 'file' }, 'Document'), list, drop, fileSaid),
    element('div', { class: 'field' }, element('label', { for: 'to' }, 'Number'), to, toSaid, recent),
    note, button);

  // --- the document ---
  function say(node, text, bad = false, field = null) {
    node.classList.toggle('error', bad);
    replace(node, text);
    if (field) field.setAttribute('aria-invalid', String(bad));
  }

  function describe(paper) {
    if (paper.problem) return element('span', { class: 'quiet error' }, paper.problem);
    if (paper.progress < 1) return paper.bar = element('progress', { max: 1, value: paper.progress, 'aria-label': `${paper.name} is being uploaded` });
    const facts = [words.pages(paper.pages) || 'being looked at…', words.size(paper.bytes), paper.warning];
    return element('span', { class: 'quiet' }, facts.filter(Boolean).join(' · '));
  }

  // A press under way, and the focus, outlive an upload that gets on.
  const show = () => drawWhenFree(form, () => redraw(form, drawAll));

  function drawAll() {
    drawPapers();
    button.disabled = Boolean(draft.sending);
    button.textContent = draft.sending ? 'Sending…' : 'Send';
    sayProblem();
  }

  let said = null;
  function sayProblem() {
    const problem = draft.problem;
    if (problem === said) return;
    said = problem;
    replace(note);
    if (!problem) return;
    if (problem.field === 'to') {
      say(toSaid, problem.message, true, to);
      if (problem.suggestion) lookUp(true);
      to.focus();
    } else {
      replace(note, element('div', { class: 'note bad' }, element('p', {}, problem.message), element('p', {}, 'Your document is kept. Press Send again when it is put right.')));
      note.scrollIntoView({ block: 'nearest' });
    }
  }

  function drawPapers() {
    replace(list, draft.papers.map((paper) => element('li', { class: paper.problem ? 'paper bad' : 'paper' },
      element('span', { class: 'sheet', 'aria-hidden': 'true' }),
      element('span', { class: 'what' }, element('b', { title: paper.name }, paper.name), describe(paper)),
      paper.problem && paper.file && !paper.final ? element('button', { class: 'link', type: 'button', onclick: () => take(paper) }, 'Try again') : null,
      element('button', { class: 'link', type: 'button', onclick: () => remove(paper), 'aria-label': `Take ${paper.name} away` }, 'Remove'))));
    drop.classList.toggle('small', draft.papers.length > 0);
    drop.querySelector('strong').textContent = draft.papers.length ? 'Add another' : 'Choose a PDF';
    if (draft.papers.length) say(fileSaid, '');
  }

  function remove(paper) {
    if (paper.upload) paper.upload.cancel();
    draft.papers = draft.papers.filter((other) => other !== paper);
    changed();
    show();
    files.focus();
  }

  async function take(paper) {
    Object.assign(paper, { problem: '', progress: 0, pages: null });
    draft.show();
    try {
      // The bar alone moves: a list drawn anew would take the Remove button from under the finger.
      paper.upload = upload(paper.file, (part) => { paper.bar.value = paper.progress = Math.min(part, 0.99); });
      let answer = await paper.upload;
      Object.assign(paper, { upload: null, id: answer.id, progress: 1 });
      draft.show();
      for (let i = 0; answer.state === 'queued' || answer.state === 'converting'; ++i) {
        await waitFor(i < 10 ? 300 : 1500);
        answer = await call('GET', `/api/documents/${paper.id}`);
      }
      paper.pages = answer.pages;
      paper.warning = (answer.warnings || []).join(' ');
      if (answer.state === 'refused') Object.assign(paper, { problem: answer.cause ? `${answer.cause.text} ${answer.cause.advice || ''}` : 'This document cannot be faxed.', final: true });
    } catch (problem) {
      paper.upload = null;
      paper.problem = problem.message;
      paper.final = problem.final || [413, 415, 422].includes(problem.status);
      if (problem.status === 401) go.again(() => take(paper));
    }
    keep();
    draft.show();
  }

  function add(chosen) {
    for (const file of chosen) {
      const paper = { file, name: file.name, bytes: file.size, progress: 0, pages: null, problem: '' };
      draft.papers.push(paper);
      changed();
      if (line.max_bytes && file.size > line.max_bytes) Object.assign(paper, { problem: `Too large: ${words.size(file.size)}. This line takes up to ${words.size(line.max_bytes)}; save it with lower resolution, or in parts.`, progress: 1, final: true });
      else if (file.size === 0) Object.assign(paper, { problem: 'This file is empty.', progress: 1, final: true });
      else take(paper);
    }
    show();
  }
  files.addEventListener('change', () => { add([...files.files]); files.value = ''; });
  for (const type of ['dragenter', 'dragover']) drop.addEventListener(type, (event) => { event.preventDefault(); drop.classList.add('over'); });
  for (const type of ['dragleave', 'drop']) drop.addEventListener(type, () => drop.classList.remove('over'));
  drop.addEventListener('drop', (event) => { event.preventDefault(); add([...event.dataTransfer.files]); });

  // --- the number ---
  let asked = 0;
  let timer = 0;
  async function lookUp(strict) {
    // Whoever leaves the field is answered once: a look still to come would wipe out what this one says.
    clearTimeout(timer);
    const typed = to.value.trim();
    const mine = ++asked;
    if (!typed) { say(toSaid, strict ? 'Type the number to send to.' : '', strict, strict ? to : null); return; }
    try {
      const answer = await call('GET', `/api/numbers?q=${encodeURIComponent(typed)}`);
      if (mine !== asked) return;
      if (answer.valid) say(toSaid, [answer.country, answer.text, answer.note].filter(Boolean).join(' · '), false, to);
      else if (strict) {
        say(toSaid, answer.text || 'This is not a telephone number.', true, to);
        if (answer.suggestion) toSaid.append(' ', element('button', { class: 'link', type: 'button', onclick: () => { to.value = answer.suggestion; typedNow(); lookUp(true); } }, `Use ${words.number(answer.suggestion)}`));
      } else say(toSaid, '', false, to);
    } catch (problem) {
      if (mine === asked) say(toSaid, problem.status === 401 ? '' : problem.message, problem.status !== 401);
    }
  }
  function typedNow() {
    draft.to = to.value;
    changed();
    sayProblem();
    clearTimeout(timer);
    timer = setTimeout(() => lookUp(false), 250);
  }
  to.addEventListener('input', typedNow);
  to.addEventListener('blur', () => { if (to.value.trim()) lookUp(true); });

  async function showRecent() {
    try {
      const answer = await call('GET', '/api/faxes?direction=outbound&limit=50');
      const numbers = [...new Set(answer.faxes.map((fax) => fax.to))].slice(0, 4);
      replace(recent, numbers.map((number) => element('button', { type: 'button', onclick: () => { to.value = number; typedNow(); lookUp(true); } }, words.number(number))));
    } catch (problem) {
      if (problem.status === 401) go.again(showRecent);  // without them the page is whole
    }
  }

  // --- Send ---
  function send(event) {
    event.preventDefault();
    if (draft.sending) return;
    if (!draft.papers.length) { say(fileSaid, 'Choose a document first.', true); files.focus(); return; }
    if (draft.papers.some((paper) => paper.problem && !paper.final)) { say(fileSaid, 'A document is not uploaded. Press “Try again” beside it, or remove it.', true); return; }
    if (draft.papers.some((paper) => paper.problem)) { say(fileSaid, 'Remove the document that cannot be faxed, or choose another.', true); return; }
    if (draft.papers.some((paper) => !paper.id)) { say(fileSaid, 'The document is still being uploaded.', true); return; }
    if (!to.value.trim()) { say(toSaid, 'Type the number to send to.', true, to); to.focus(); return; }
    deliver(go);
  }

  Object.assign(draft, { form, show });
  drawAll();
  if (draft.to) lookUp(false);
  showRecent();
  return { node: form, title: 'Send a fax' };
}
