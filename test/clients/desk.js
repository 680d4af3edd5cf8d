// A client library at the service of a test: reads calls from standard input, a line of JSON each, and answers each with one.
//
//   node desk.js twilio|signalwire URL ACCOUNT TOKEN
//   {"verb": "fetch", "words": ["FX…"]}   ->   {"value": {…}}   or   {"error": {"status", "code", "message", "moreInfo"}}
//
// URL is where the API listens, without any path. Nothing of the wire is written here: all of it is the libraries'.
"use strict";
const path = require("node:path");
const readline = require("node:readline");

const [dialect, url, account, token] = process.argv.slice(2);

// The official package, pointed elsewhere than to fax.twilio.com.
function twilio() {
  const library = require("twilio");
  const client = library(account, token);
  client.fax.baseUrl = url;
  return { library, client, webhooks: require("twilio/lib/webhooks/webhooks") };
}

function signalwire() {
  const name = "@signalwire/compatibility-api";
  const library = require(name).RestClient;
  const client = library(account, token, { signalwireSpaceUrl: new URL(url).host });
  const home = path.dirname(path.dirname(require.resolve(name)));
  return { library, client, webhooks: require(path.join(home, "lib/webhooks/webhooks.js")) };
}

const { library, client, webhooks } = { twilio, signalwire }[dialect]();
const faxes = client.fax.faxes;

// JSON has no dates; the libraries want some.
function dated(options) {
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, name.startsWith("date") ? new Date(value) : value]));
}

const verbs = {
  create: (options) => faxes.create(options),
  fetch: (sid) => faxes(sid).fetch(),
  list: (options) => faxes.list(dated(options)),
  cancel: (sid) => faxes(sid).update({ status: "canceled" }),
  remove: (sid) => faxes(sid).remove(),
  media_list: (sid) => faxes(sid).media.list(),
  media_fetch: (sid, media) => faxes(sid).media(media).fetch(),
  media_remove: (sid, media) => faxes(sid).media(media).remove(),
  sign: (key, signed, parameters) => webhooks.getExpectedTwilioSignature(key, signed, parameters),
  validate: (key, signature, signed, parameters) => library.validateRequest(key, signature, signed, parameters),
  receive: (attributes) => {
    const answer = new (library.twiml || library.LaML).FaxResponse();
    answer.receive(attributes);
    return answer.toString();
  },
  reject: () => {
    const answer = new (library.twiml || library.LaML).FaxResponse();
    answer.reject();
    return answer.toString();
  },
};

// The last request and its answer, as they were on the wire: what the libraries do not show.
verbs.wire = () => {
  const { lastRequest, lastResponse } = client.httpClient;
  const { statusCode, body } = lastResponse;
  return { asked: lastRequest.url, status: statusCode, answered: typeof body === "string" && body ? JSON.parse(body) : body };
};

async function answer(line) {
  const { verb, words } = JSON.parse(line);
  try {
    return { value: (await verbs[verb](...words)) ?? null };
  } catch ({ status, code, message, moreInfo }) {
    return { error: { status, code, message, moreInfo } };
  }
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) console.log(JSON.stringify(await answer(line)));
})();
