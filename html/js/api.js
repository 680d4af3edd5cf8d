// Talks to the server, and turns problems into sentences. What is thrown is a
// Problem: `message` is for the person; `status` 0 means that nobody answered.
export class Problem extends Error {
  constructor(status, message, field = '', extra = {}) {
    super(message);
    this.status = status;
    this.field = field;
    Object.assign(this, extra);
  }
}

// Who does not answer is as good as away: a look is soon repeated, a change may wait for a disk.
const lookMilliseconds = 15_000;
const changeMilliseconds = 60_000;
const standstillMilliseconds = 60_000;

const unreachable = () => new Problem(0, 'The line cannot be reached. Nothing you typed is lost; check the network and try again.');

const sentences = {
  401: 'You are logged out. Log in again; what you typed is kept.',
  413: 'That is more than this line takes.',
  429: 'Too many tries. Wait a little, then try again.',
  502: 'The line is starting or being repaired. Try again in a moment.',
  503: 'The line is busy. Try again in a moment.',
  504: 'The line did not answer in time. Try again in a moment.',
};

function problemOf(status, body, type) {
  if (type.includes('json')) {
    try {
      const said = JSON.parse(body);
      const words = said.detail || said.title || sentences[status];
      return new Problem(status, words || `The line answered with error ${status}.`, said.field || '', { suggestion: said.suggestion });
    } catch { /* not what it says it is: the general sentence */ }
  }
  return new Problem(status, sentences[status] || `The line answered with error ${status}. Try again in a moment.`);
}

export async function call(method, path, body, headers = {}) {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), method === 'GET' ? lookMilliseconds : changeMilliseconds);
  const options = { method, headers: { Accept: 'application/json', ...headers }, credentials: 'same-origin', cache: 'no-store', signal: patience.signal };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers['Content-Type'] = 'application/json';
  }
  let answer;
  let text;
  try {
    answer = await fetch(path, options);
    text = await answer.text();
  } catch {
    throw unreachable();
  } finally {
    clearTimeout(timer);
  }
  if (!answer.ok) throw problemOf(answer.status, text, answer.headers.get('Content-Type') || '');
  return text ? JSON.parse(text) : null;
}

// Uploads one file and reports how much of it is gone (0 to 1). `cancel` is set on the promise.
export function upload(file, onProgress) {
  const request = new XMLHttpRequest();
  let standstill = 0;
  const moves = () => {
    clearTimeout(standstill);
    standstill = setTimeout(() => { request.onabort = request.onerror; request.abort(); }, standstillMilliseconds);
  };
  const promise = new Promise((resolve, reject) => {
    request.open('POST', '/api/documents');
    request.setRequestHeader('Accept', 'application/json');
    request.upload.onprogress = (event) => { moves(); if (event.lengthComputable) onProgress(event.loaded / event.total); };
    // Who cannot read the file any more does not lack the network.
    request.onerror = () => file.slice(0, 1).arrayBuffer().then(() => reject(unreachable()), () => reject(new Problem(0, 'This file was moved or changed on your computer since it was chosen. Choose it again.', '', { final: true })));
    request.onabort = () => reject(new Problem(-1, 'Taken away.'));
    request.onloadend = () => clearTimeout(standstill);
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) resolve(JSON.parse(request.responseText));
      else reject(problemOf(request.status, request.responseText, request.getResponseHeader('Content-Type') || ''));
    };
    const form = new FormData();
    form.append('file', file, file.name);
    moves();
    request.send(form);
  });
  promise.cancel = () => request.abort();
  return promise;
}

// A key of one press of Send: pressed twice, it is one fax.
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
