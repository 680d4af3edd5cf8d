// What things are called, for people.
const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const timeWithSeconds = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const date = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });

const sameDay = (a, b) => a.toDateString() === b.toDateString();

// Today: the time; this year: the day; else the date.
export function when(text, now = new Date()) {
  const at = new Date(text);
  if (sameDay(at, now)) return time.format(at);
  return at.getFullYear() === now.getFullYear() ? day.format(at) : date.format(at);
}

// Of an event: with seconds today, with the day else.
export function moment(text, now = new Date()) {
  const at = new Date(text);
  return sameDay(at, now) ? timeWithSeconds.format(at) : `${when(text, now)}, ${time.format(at)}`;
}

export const clock = (at) => time.format(at);
export const pages = (count) => (count === null || count === undefined ? '' : `${count} ${count === 1 ? 'page' : 'pages'}`);

export function size(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  if (bytes < 1e6) return `${Math.round(bytes / 1e3)} KB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

// The country codes of two digits (ITU-T E.164, list of assigned codes); 1 and 7 have one, all others three.
const twoDigits = /^(20|27|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])/;

// E.164 in groups that can be read aloud: where an area code ends is known for +1 alone.
export function number(e164) {
  if (!e164) return 'a withheld number';
  const sip = /^sips?:([^;?]+)/.exec(e164);
  if (sip) return sip[1];
  const digits = /^\+(\d{4,})$/.exec(e164);
  if (!digits) return e164;
  const code = /^[17]/.test(digits[1]) ? 1 : twoDigits.test(digits[1]) ? 2 : 3;
  const groups = [digits[1].slice(0, code)];
  for (let rest = digits[1].slice(code); rest;) {
    const length = rest.length > 4 ? 3 : rest.length;
    groups.push(rest.slice(0, length));
    rest = rest.slice(length);
  }
  return `+${groups.join(' ')}`;
}

const short = {
  queued: ['Waiting', 'going'], preparing: ['Being prepared', 'going'], submitting: ['Being handed over', 'going'],
  checking: ['Being looked for', 'wait'], sending: ['Being sent', 'going'], waiting: ['Next try follows', 'wait'],
  delivered: ['Delivered', 'good'], partly_delivered: ['Delivered in part', 'wait'], failed: ['Not delivered', 'bad'],
  canceled: ['Canceled', 'wait'], unresolved: ['Uncertain', 'bad'],
  receiving: ['Coming in', 'going'], fetching: ['Being fetched', 'going'], received: ['Received', 'good'],
};

// A word and a tone for a line of a list.
export function state(fax) {
  if (fax.status === 'failed' && fax.direction === 'inbound') return ['Not received', 'bad'];
  const known = short[fax.status] || [fax.status, fax.final ? 'bad' : 'going'];
  const reason = fax.cause && fax.final && fax.status === 'failed' ? ` – ${causeWord(fax.cause)}` : '';
  return [known[0] + reason, known[1]];
}

const causeWords = { busy: 'busy', no_answer: 'no answer' };
// The first sentence of a cause, within a line.
function causeWord(cause) {
  const first = (cause.text.match(/^[^.(]+/) || [cause.text])[0].trim();
  return causeWords[cause.code] || first.charAt(0).toLowerCase() + first.slice(1);
}

// The state of one fax as a sentence.
export function sentence(fax) {
  const count = pages(fax.pages_done ?? fax.pages);
  const at = when(fax.updated);
  switch (fax.status) {
    case 'queued': return 'Waiting for its turn.';
    case 'preparing': return fax.cause ? fax.cause.text : 'The document is being looked at.';
    case 'submitting': return 'Being handed to the provider.';
    case 'checking': return 'The provider did not answer clearly. It is being looked for there, so that it is not sent twice.';
    case 'sending': return 'Being sent. The other side is being called.';
    case 'waiting': return fax.cause ? fax.cause.text : 'Waiting for the next try.';
    case 'delivered': return ['Delivered', count, at].filter(Boolean).join(', ') + '.';
    case 'partly_delivered': return `Delivered in part: ${fax.pages_done ?? '?'} of ${pages(fax.pages) || 'the pages'}.`;
    case 'canceled': return fax.cause && fax.cause.code === 'canceled_at_provider' ? 'Canceled at the provider.' : 'Canceled.';
    case 'unresolved': return 'Nobody can say whether it arrived.';
    case 'receiving': return 'Coming in now.';
    case 'fetching': return fax.cause ? fax.cause.text : 'Here in a moment: the document is being fetched from the provider.';
    case 'received': return fax.next ? 'Received; waiting for the mailbox.' : ['Received', count, at].filter(Boolean).join(', ') + '.';
    case 'failed': return fax.direction === 'inbound' ? `Somebody tried to send this, but it did not arrive. ${fax.cause ? fax.cause.text : ''}` : (fax.cause ? fax.cause.text : 'Not delivered.');
    default: return fax.status;
  }
}

export const headline = (fax) => (fax.direction === 'inbound' ? `From ${number(fax.from)}` : `To ${number(fax.to)}`);
