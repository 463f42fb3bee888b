// A page that plays a participant in a browser, as any WHEP player would. It knows nothing that needs a token: whoever
// opens it gives the token to the page, which sends it with its calls.
#include <glib.h>

#include <vector>

#include "launcher/api/context.hpp"

namespace avc::api {
namespace {

constexpr char kHead[] = R"page(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Watch a participant</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 70rem; margin: 1.5rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; }
form { display: flex; flex-wrap: wrap; gap: .75rem; align-items: end; }
label { display: grid; font-size: .9rem; }
input, select, button { font: inherit; padding: .3rem .6rem; min-width: 8rem; }
main { display: flex; flex-wrap: wrap; gap: 1.5rem; margin-top: 1rem; }
video { flex: 1 1 20rem; align-self: start; min-width: 0; max-width: 100%; aspect-ratio: 16 / 9; background: #000; }
table { border-collapse: collapse; align-self: start; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; }
th, td { padding: .15rem .75rem .15rem 0; text-align: right; border-bottom: 1px solid #8886; }
th[scope=row] { text-align: left; font-weight: 400; }
</style></head><body>
<h1>Watch a participant</h1>
<form id="choice">
<label>Test <select id="test"></select></label>
<label>Participant <select id="id"></select></label>
<label>Token, if one is asked for <input id="token" type="password" autocomplete="off"></label>
<button type="submit">Play</button>
<button type="button" id="stop">Stop</button>
<button type="button" id="refresh">Ask again what runs</button>
</form>
<p id="status" role="status"></p>
<main>
<video id="video" controls autoplay muted playsinline aria-label="The participant's picture"></video>
<table><caption>As the browser measures it</caption>
<thead><tr><th scope="col"></th><th scope="col">video</th><th scope="col">audio</th></tr></thead>
<tbody id="figures"></tbody></table>
</main>
<noscript><p>This page needs JavaScript.</p></noscript>
)page";

constexpr char kScript[] = R"page(
'use strict';
const at = name => document.getElementById(name);
const tell = text => { at('status').textContent = text; };
const part = encodeURIComponent;
const asked = new URLSearchParams(location.search);
let pc = null, resource = null, timer = 0;

const ROWS = [['framesDecoded', 'pictures decoded'], ['framesPerSecond', 'pictures a second'],
  ['freezeCount', 'freezes'], ['totalFreezesDuration', 'frozen (s)', 2], ['packetsReceived', 'packets received'],
  ['packetsLost', 'packets lost'], ['jitter', 'jitter (ms)', 1, 1000], ['nackCount', 'packets asked for again'],
  ['pliCount', 'keyframes asked for']];
for (const [key, title] of ROWS) {
  const row = at('figures').insertRow(), head = document.createElement('th');
  head.scope = 'row';
  head.textContent = title;
  row.append(head);
  for (const kind of ['video', 'audio']) row.insertCell().id = kind + '-' + key;
}

async function call(path, options = {}) {
  const headers = {...options.headers};
  if (at('token').value) headers.Authorization = 'Bearer ' + at('token').value;
  const reply = await fetch(path, {...options, headers});
  if (reply.ok) return reply;
  let said = await reply.text();
  try { said = JSON.parse(said).detail || said; } catch { /* it is text */ }
  throw new Error(reply.status + ' ' + said);
}

function fill(select, values, wanted) {
  const before = wanted || select.value;
  select.replaceChildren(...values.map(value => new Option(value, value, false, value == before)));
}

async function listTests(wanted) {
  const tests = (await (await call('/api/v1/tests')).json()).tests;
  fill(at('test'), tests.filter(one => one.state == 'running').map(one => one.test_id), wanted);
  tell(at('test').options.length ? '' : 'No test is running.');
}

async function listParticipants(wanted) {
  const test = at('test').value;
  if (!test) return fill(at('id'), []);
  const all = (await (await call('/api/v1/test/' + part(test) + '/participants')).json()).participants;
  fill(at('id'), all.map(one => String(one.participant_id)), wanted);
}

async function show() {
  if (!pc) return;
  for (const row of (await pc.getStats()).values()) {
    if (row.type != 'inbound-rtp') continue;
    for (const [key, , digits = 0, factor = 1] of ROWS)
      at(row.kind + '-' + key).textContent = row[key] === undefined ? '' : (row[key] * factor).toFixed(digits);
  }
}

function stop() {
  clearInterval(timer);
  if (resource) call(resource, {method: 'DELETE', keepalive: true}).catch(() => {});
  if (pc) pc.close();
  pc = resource = null;
  at('video').srcObject = null;
}

async function play() {
  stop();
  const test = at('test').value, id = at('id').value;
  if (!test || !id) return tell('There is nobody to watch.');
  history.replaceState(null, '', '?test=' + part(test) + '&id=' + part(id));
  tell('Connecting …');
  const own = pc = new RTCPeerConnection(), found = [];
  const send = candidate => call(resource, {method: 'PATCH', body: 'a=' + candidate + '\r\n',
    headers: {'Content-Type': 'application/trickle-ice-sdpfrag'}}).catch(() => {});
  own.onicecandidate = event => {
    if (!event.candidate || !event.candidate.candidate || own != pc) return;
    if (resource) send(event.candidate.candidate); else found.push(event.candidate.candidate);
  };
  const stream = at('video').srcObject = new MediaStream();
  own.ontrack = event => stream.addTrack(event.track);
  own.onconnectionstatechange = () => {
    if (own == pc) tell({connected: 'Playing ' + id + ' of ' + test + '.', failed: 'The connection is lost.'}
      [own.connectionState] || 'The connection is ' + own.connectionState + '.');
  };
  for (const kind of ['audio', 'video']) own.addTransceiver(kind, {direction: 'recvonly'});
  await own.setLocalDescription(await own.createOffer());
  const reply = await call('/whep/' + part(test) + '/' + part(id),
    {method: 'POST', body: own.localDescription.sdp, headers: {'Content-Type': 'application/sdp'}});
  const theirs = reply.headers.get('Location');
  if (own != pc) return call(theirs, {method: 'DELETE'});
  resource = theirs;
  await own.setRemoteDescription({type: 'answer', sdp: await reply.text()});
  found.forEach(send);
  timer = setInterval(show, 1000);
}

const tried = deed => async event => {
  if (event) event.preventDefault();
  try { await deed(); } catch (problem) { stop(); tell(problem.message); }
};
at('choice').onsubmit = tried(play);
at('stop').onclick = () => { stop(); tell('Stopped.'); };
at('refresh').onclick = tried(async () => { await listTests(); await listParticipants(); });
at('test').onchange = tried(() => listParticipants());
addEventListener('pagehide', stop);
tried(async () => {
  await listTests(asked.get('test'));
  await listParticipants(asked.get('id'));
  if (asked.has('test') && at('test').value == asked.get('test') && at('id').value == asked.get('id')) await play();
})();
)page";

// What the page may do, beside showing itself: this very script, and calls to where it came from.
std::string policy() {
  GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
  g_checksum_update(sum, reinterpret_cast<const guchar *>(kScript), sizeof kScript - 1);
  guint8 digest[32];
  gsize size = sizeof digest;
  g_checksum_get_digest(sum, digest, &size);
  g_checksum_free(sum);
  char *text = g_base64_encode(digest, size);
  const std::string hash = text;
  g_free(text);
  return "default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; script-src 'sha256-" + hash +
         "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

Reply page(const Request &) {
  Reply reply;
  reply.type = "text/html; charset=utf-8";
  reply.body = std::string(kHead) + "<script>" + kScript + "</script></body></html>\n";
  reply.headers = {{"Content-Security-Policy", policy()}, {"Referrer-Policy", "no-referrer"}};
  return reply;
}

}  // namespace

std::vector<Route> play_routes() {
  return {{.method = "GET",
           .pattern = "/play",
           .summary = "A page that plays a participant in a browser",
           .access = http::Access::open,
           .handle = page,
           .query = {{"test", "string", "the test to watch at once"}, {"id", "integer", "its participant"}},
           .answer_type = "text/html"}};
}

}  // namespace avc::api
