// The cross-site rule in a real browser: what pages of other origins send is refused, whatever they try and however near they are; what
// the own origin sends is done. The table is that of the contract; its columns but the last are what Chromium really says.

import assert from "node:assert/strict";
import { createServer, request as httpRequest } from "node:http";
import { origin, scenario } from "../harness.mjs";

const ADDRESS = { host: "127.0.0.1", port: Number(new URL(origin).port) };
const LOGIN = { email: process.env.DANGO_TEST_EMAIL, password: process.env.DANGO_TEST_PASSWORD };
const JSON_BODY = '{"key":"EVIL","value":"x"}';

// What a page tries: each is run in the page with the victim's origin and a body that sets a variable.
const ATTEMPTS = {
  "form, text/plain": (victim) => {
    document.body.innerHTML = `<form method="post" enctype="text/plain" action="${victim}/api/secrets"><input></form>`;
    const [name, value] = ['{"key":"EVIL","value":"x', '"}'];
    Object.assign(document.querySelector("input"), { name, value });
    document.forms[0].submit();
  },
  "form, urlencoded": (victim) => {
    document.body.innerHTML = `<form method="post" action="${victim}/logout"></form>`;
    document.forms[0].submit();
  },
  "form, multipart, in a sandbox": (victim) => {
    const frame = document.createElement("iframe");
    frame.sandbox = "allow-forms allow-scripts";
    const form = `<form method=post enctype="multipart/form-data" action="${victim}/api/auth/logout"></form>`;
    frame.srcdoc = `${form}<script>document.forms[0].submit()</script>`;
    document.body.append(frame);
  },
  "form, redirected with 307": () => {
    document.body.innerHTML = `<form method="post" action="/to/api/auth/logout"></form>`;
    document.forms[0].submit();
  },
  "fetch, no-cors": (victim, body) => void fetch(`${victim}/api/secrets`, { method: "POST", mode: "no-cors", credentials: "include", body }),
  "fetch, plain": (victim, body) => void fetch(`${victim}/api/secrets`, { method: "POST", credentials: "include", body }),
  "fetch, JSON": (victim, body) => {
    const headers = { "content-type": "application/json" };
    fetch(`${victim}/api/secrets`, { method: "POST", credentials: "include", headers, body });
  },
  "fetch, DELETE": (victim) => void fetch(`${victim}/api/secrets/KEPT`, { method: "DELETE", credentials: "include" }),
  "beacon": (victim, body) => void navigator.sendBeacon(`${victim}/api/secrets`, body),
  "img": (victim) => void (new Image().src = `${victim}/api/secrets`),
  "frame": (victim) => {
    const frame = document.createElement("iframe");
    frame.src = `${victim}/api/auth/me`;
    document.body.append(frame);
  },
  "link": (victim) => void (location.href = `${victim}/api/auth/me`),
};

// What is on the wire then: method, Sec-Fetch-Site, Origin, whether the cookie came along; and the answer.
// Another site gets the cookie with nothing but a link that is followed, as `SameSite=Lax` says; another port of the same host always.
const ANOTHER_SITE = `
  form, text/plain              POST    cross-site  theirs  -       403
  form, urlencoded              POST    cross-site  theirs  -       403
  form, multipart, in a sandbox POST    cross-site  null    -       403
  form, redirected with 307     POST    cross-site  null    -       403
  fetch, no-cors                POST    cross-site  theirs  -       403
  fetch, plain                  POST    cross-site  theirs  -       403
  fetch, JSON                   OPTIONS cross-site  theirs  -       405
  fetch, DELETE                 OPTIONS cross-site  theirs  -       405
  beacon                        POST    cross-site  theirs  -       403
  img                           GET     cross-site  -       -       401
  frame                         GET     cross-site  -       -       401
  link                          GET     cross-site  -       cookie  200`;
const ANOTHER_PORT = `
  form, text/plain              POST    same-site   theirs  cookie  403
  form, urlencoded              POST    same-site   theirs  cookie  403
  form, multipart, in a sandbox POST    cross-site  null    -       403
  form, redirected with 307     POST    same-site   null    cookie  403
  fetch, no-cors                POST    same-site   theirs  cookie  403
  fetch, plain                  POST    same-site   theirs  cookie  403
  fetch, JSON                   OPTIONS same-site   theirs  -       405
  fetch, DELETE                 OPTIONS same-site   theirs  -       405
  beacon                        POST    same-site   theirs  cookie  403
  img                           GET     same-site   -       cookie  200
  frame                         GET     same-site   -       cookie  200
  link                          GET     same-site   -       cookie  200`;
// The own origin gets as far as its content type allows.
const OWN = `
  form, text/plain              POST    same-origin null    cookie  415
  form, multipart, in a sandbox POST    cross-site  null    -       403
  fetch, plain                  POST    same-origin theirs  cookie  415
  fetch, JSON                   POST    same-origin theirs  cookie  201
  fetch, DELETE                 DELETE  same-origin theirs  cookie  200
  link                          GET     same-origin -       cookie  200`;

// The row of the truth table in `cross_site.rs` for a request that changes something and has `Sec-Fetch-Site`.
const isRefused = (site) => !["same-origin", "none"].includes(site);

// Between the browser and the server: what is really sent, before the browser hides anything of it.
const seen = [];
let onAnswer = () => {};
const tap = await serving((request, response) => {
  const { "sec-fetch-site": site, origin: from = "-", cookie = "" } = request.headers;
  const onward = httpRequest({ ...ADDRESS, method: request.method, path: request.url, headers: request.headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
    if (request.url === "/favicon.ico") return;
    seen.push({ method: request.method, site, from, cookie: cookie !== "", status: answer.statusCode });
    onAnswer();
  });
  request.pipe(onward);
});
const others = await serving((request, response) => {
  if (request.url.startsWith("/to/")) response.writeHead(307, { location: origin + request.url.slice("/to".length) }).end();
  else response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>Another</title><body>");
});

await scenario(
  async (house) => {
    const visitor = await house.visitor({ watched: false, bypassCSP: true });
    const context = visitor.context();
    const api = context.request;
    const signedIn = await api.post("/api/auth/login", { data: LOGIN, headers: { origin } });
    assert.equal(signedIn.status(), 200);
    const kept = await api.post("/api/secrets", { data: { key: "KEPT", value: "kept" }, headers: { origin } });
    assert.equal(kept.status(), 201);
    // An address that somebody types comes from nowhere, and the cookie goes with it.
    await visitor.goto(`${origin}/api/auth/me`);
    assert.deepEqual([seen.at(-1).site, seen.at(-1).status], ["none", 200]);

    const before = await state(api);
    for (const [theirs, table] of [
      [`http://127.0.0.1:${others.port}`, ANOTHER_SITE],
      [`http://localhost:${others.port}`, ANOTHER_PORT],
    ]) {
      assert.equal(await attempts(context, theirs, rows(table)), table.trim(), theirs);
      assert.deepEqual(await state(api), before, `${theirs} changed something`);
    }
    assert.equal(await attempts(context, origin, rows(OWN)), OWN.trim());
    const after = await state(api);
    assert.deepEqual(after.variables, ["EVIL"], "the own origin set one and deleted one");
    const logout = "  form, urlencoded              POST    same-origin null    cookie  303";
    assert.equal(await attempts(context, origin, rows(logout)), logout.trim());
    assert.equal((await api.get("/api/auth/me")).status(), 401);
  },
  // The server is asked by way of the tap, under its own name.
  [`MAP localhost:${ADDRESS.port} 127.0.0.1:${tap.port}`, `MAP localhost:${others.port} 127.0.0.1:${others.port}`],
).finally(() => {
  tap.close();
  others.close();
});

// Everything that an attempt could have changed.
async function state(api) {
  const list = async (path) => {
    const answer = await api.get(path);
    assert.equal(answer.status(), 200, `${path}: the session has ended`);
    return answer.json();
  };
  const variables = (await list("/api/secrets")).env_vars.map((variable) => variable.key);
  const sessions = (await list("/api/auth/sessions")).map((session) => session.id);
  return { variables, sessions };
}

// The names in the first column.
function rows(table) {
  return table.trim().split("\n").map((row) => row.trim().slice(0, 30).trim());
}

async function attempts(context, theirs, names) {
  const lines = [];
  for (const name of names) {
    const page = await context.newPage();
    await page.goto(theirs === origin ? "/api/health" : theirs);
    seen.length = 0;
    const answered = new Promise((resolve) => (onAnswer = resolve));
    await page.evaluate(`(${ATTEMPTS[name]})(${JSON.stringify(origin)}, ${JSON.stringify(JSON_BODY)})`);
    await answered;
    await page.close();
    const [{ method, site, from, cookie, status }] = seen;
    const said = from === theirs ? "theirs" : from;
    if (!["GET", "OPTIONS"].includes(method)) assert.equal(status === 403, isRefused(site), `${name} from ${theirs}`);
    lines.push(`  ${name.padEnd(30)}${method.padEnd(8)}${site.padEnd(12)}${said.padEnd(8)}${(cookie ? "cookie" : "-").padEnd(8)}${status}`);
  }
  return lines.join("\n").trim();
}

async function serving(answer) {
  const server = createServer(answer);
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return { port: server.address().port, close: () => (server.close(), server.closeAllConnections()) };
}
