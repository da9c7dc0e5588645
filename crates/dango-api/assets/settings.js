// What pages with dialogs use: forms become requests to the JSON operations, the page is fetched anew, and what was done is said.
// Nothing is kept: what was typed or shown once is gone from the page when its dialog closes.

const policy = globalThis.trustedTypes?.createPolicy('dango', { createHTML: (text) => text }) ?? { createHTML: (text) => text };
/** Reads what our own server sent, and nothing else. */
const parse = (text, type) => new DOMParser().parseFromString(policy.createHTML(text), type);

/** Which field a problem belongs to; the first that the form has. */
const FIELDS = {
  invalid_key: ['key'],
  invalid_value: ['value'],
  weak_password: ['new_password'],
  password_unchanged: ['new_password'],
  invalid_credentials: ['password', 'current_password'],
  invalid_code: ['code'],
  invalid_expiry: ['expires_in_days'],
  invalid_body: ['name'],
};
const SENTENCES = {
  invalid_credentials: 'This is not your password.',
  invalid_code: 'This code is not right, or was used before. Enter the one that the app shows now.',
  password_unchanged: 'This is the password that you have now. Choose another one.',
};

/** What is under way: the dialog's opener with its row and id, and what is to be tried again after a proof. */
let opener = null;
let waiting = null;

const byId = (id) => document.getElementById(id);
const sentence = (text) => text && text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.');
const filled = (text, ...sources) => text.replace(/\{(\w+)\}/g, (_, name) => sources.find((source) => source?.[name] !== undefined)?.[name] ?? '');

/** Says what was done, where it is seen and where it is heard. */
function say(text, tone = 'good') {
  const notice = document.createElement('div');
  notice.className = `notice ${tone}`;
  notice.append(Object.assign(document.createElement('p'), { textContent: text }));
  byId('notices').replaceChildren(notice);
  byId('said').textContent = '';
  requestAnimationFrame(() => { byId('said').textContent = text; });
}

function toLogin() {
  location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

/** Sends a request; answers its JSON, or throws the problem document. */
async function send(request, body, values) {
  const [method, template] = request.split(' ');
  const path = template.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(values?.[name] ?? ''));
  const init = { method, headers: { Accept: 'application/json' }, cache: 'no-store' };
  if (body) {
    init.headers['Content-Type'] = 'application/json';
    init.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(path, init);
  } catch {
    throw { code: 'unreachable', detail: 'The server cannot be reached. Check the connection, and try again.' };
  }
  const read = await answer.json().catch(() => ({}));
  if (answer.ok) return read;
  if (!read.code) throw { code: 'unknown', detail: 'The server answered in a way that this page does not understand.' };
  const wait = Number(answer.headers.get('Retry-After'));
  if (wait > 1 && [423, 429].includes(answer.status)) read.detail = `${sentence(read.detail)} Try again in ${wait > 90 ? `${Math.ceil(wait / 60)} minutes` : `${wait} seconds`}.`;
  throw read;
}

/** Fetches a page anew and puts the parts that are asked for in the place of what is shown; answers whether that could be done. */
async function refresh(url = location.href, parts = ['main']) {
  const answer = await fetch(url, { headers: { Accept: 'text/html' }, cache: 'no-store' }).catch(() => null);
  const text = await answer?.text().catch(() => null);
  if (typeof text !== 'string') return false;
  if (new URL(answer.url).pathname.startsWith('/login')) {
    toLogin();
    return true;
  }
  const fresh = parse(text, 'text/html');
  for (const part of parts) {
    const [now, next] = [document.querySelector(part), fresh.querySelector(part)];
    if (!now || !next) continue;
    now.replaceChildren(...next.childNodes);
    now.dispatchEvent(new CustomEvent('dango:shown', { bubbles: true }));
  }
  return true;
}

const NOT_FETCHED = 'The page could not be fetched again. Check the connection, and reload it.';

/** Refreshes the page, says what was done only when it is to be seen there, too, and gives the focus back to what has it in the new one. */
async function refreshAndReturn(asked, text) {
  const label = asked && (asked.getAttribute('aria-label') ?? asked.textContent);
  const section = asked?.closest('section')?.id;
  const isFresh = await refresh(location.href, ['main', '#menu', '#asking']);
  if (!isFresh) return say(text ? `${text} ${NOT_FETCHED}` : NOT_FETCHED, 'bad');
  if (text) say(text);
  // Whoever has opened another dialog meanwhile stays there.
  if (document.querySelector('dialog[open]')) return;
  const buttons = [...document.querySelectorAll('main [data-opens], main [data-sends]')];
  const same = buttons.find((button) => (button.getAttribute('aria-label') ?? button.textContent) === label);
  (same ?? document.querySelector(section ? `#${section} h2` : 'main') ?? byId('main')).focus();
}

function field(form, name) {
  return form.elements.namedItem(name);
}

function clearErrors(form) {
  for (const input of form.querySelectorAll('[aria-invalid]')) input.removeAttribute('aria-invalid');
  for (const error of form.querySelectorAll('.error')) Object.assign(error, { hidden: true, textContent: '' });
  const alert = form.querySelector('[role=alert]');
  if (alert) Object.assign(alert, { hidden: true, textContent: '' });
}

function showError(form, name, text) {
  const input = field(form, name);
  const error = byId(`${input.id}-error`);
  Object.assign(error, { hidden: false, textContent: text });
  input.setAttribute('aria-invalid', 'true');
  input.focus();
}

/** Says what is wrong: beside its field, or in the form. */
function showProblem(form, problem) {
  const name = FIELDS[problem.code]?.find((candidate) => field(form, candidate) && byId(`${field(form, candidate).id}-error`));
  const issues = problem.issues?.map((issue) => sentence(issue.message)).join(' ');
  const text = issues || SENTENCES[problem.code] || sentence(problem.detail ?? problem.title ?? '');
  if (name) return showError(form, name, text);
  const alert = form.querySelector('[role=alert]');
  if (alert) Object.assign(alert, { hidden: false, textContent: text });
  else say(text, 'bad');
}

/** What a form sends. */
function bodyOf(form) {
  const body = {};
  for (const input of form.elements) {
    if (!input.name || 'leftOut' in input.dataset || input.name === 'confirm_password') continue;
    if (input.type === 'checkbox') {
      if (input.checked) body[input.name] = [...(body[input.name] ?? []), input.value];
    } else if ('number' in input.dataset) {
      if (input.value) body[input.name] = Number(input.value);
    } else {
      body[input.name] = input.value;
    }
  }
  return Object.keys(body).length ? body : null;
}

/** Where a form has to be filled in, or two fields have to be the same. */
function isComplete(form) {
  for (const input of form.elements) {
    if (input.willValidate && !input.checkValidity() && byId(`${input.id}-error`)) {
      const short = input.validity.tooShort ? `Use at least ${input.minLength} characters.` : 'Fill in this field.';
      showError(form, input.name, short);
      return false;
    }
  }
  const again = field(form, 'confirm_password');
  if (again && again.value !== field(form, 'new_password').value) {
    showError(form, 'confirm_password', 'The two passwords are not the same.');
    return false;
  }
  return true;
}

/** Puts what was answered into the next step of a dialog. */
function show(step, answer) {
  for (const place of step.querySelectorAll('[data-value]')) place.textContent = answer[place.dataset.value] ?? '';
  for (const place of step.querySelectorAll('ol[data-list]')) {
    const items = (answer[place.dataset.list] ?? []).map((text) => Object.assign(document.createElement('li'), { textContent: text }));
    place.replaceChildren(...items);
  }
  for (const place of step.querySelectorAll('[data-drawing]')) {
    const drawing = parse(answer[place.dataset.drawing], 'image/svg+xml').documentElement;
    drawing.setAttribute('aria-hidden', 'true');
    place.replaceChildren(document.adoptNode(drawing));
  }
}

function focusFirst(part) {
  const first = part.querySelector('input:not([readonly], [type=hidden], .unseen), textarea, select') ?? part.querySelector('button');
  first?.focus();
}

/** What comes after a request that was done. */
async function done(form, answer, values) {
  const dialog = form.closest('dialog');
  if (form.dataset.then === 'next') {
    const steps = [...dialog.querySelectorAll('[data-step]')];
    const next = steps[steps.indexOf(form) + 1];
    show(next, answer);
    form.remove();
    next.hidden = false;
    // From here on the page is another one: it is fetched anew when the dialog closes.
    if (!next.matches('form')) dialog.dataset.changed = '';
    focusFirst(next);
    return;
  }
  if (form.dataset.then === 'login') {
    document.cookie = `dango_notice=password_changed; Path=/; Max-Age=60; SameSite=Lax${location.protocol === 'https:' ? '; Secure' : ''}`;
    location.assign('/login');
    return;
  }
  if (form.dataset.then === 'again') {
    const again = waiting;
    waiting = null;
    dialog.close();
    again?.();
    return;
  }
  const asked = opener;
  dialog?.close();
  await refreshAndReturn(asked, filled(form.dataset.said ?? 'Done.', answer, values));
}

/** Sends what a form or a button asks for; where a proof is too old, it is asked for, and then it is tried again. */
async function perform(part, body, values) {
  if (part.getAttribute('aria-busy') === 'true') return;
  const form = part.matches('form') ? part : null;
  part.setAttribute('aria-busy', 'true');
  const button = form?.querySelector('[type=submit]') ?? part;
  button.setAttribute('aria-disabled', 'true');
  if (form) clearErrors(form);
  try {
    const answer = await send(part.dataset.sends, body, values);
    if (form) await done(form, answer, values);
    else if (part.dataset.then === 'away') location.assign(answer.url);
    else {
      await refreshAndReturn(part, filled(part.dataset.said ?? 'Done.', answer, values));
    }
  } catch (problem) {
    if (!problem.code) throw problem;
    if (['authentication_required', 'session_expired'].includes(problem.code)) toLogin();
    else if (['password_change_required', 'mfa_enrolment_required'].includes(problem.code)) location.assign('/');
    else if (problem.code === 'reauthentication_required') {
      waiting = () => perform(part, body, values);
      openDialog('reauthenticate', {});
    } else if (form) showProblem(form, problem);
    else say(sentence(problem.detail ?? problem.title), 'bad');
  } finally {
    part.removeAttribute('aria-busy');
    button.removeAttribute('aria-disabled');
  }
}

/** A dialog is made when it is opened, and is gone when it closes, with all that was typed into it or shown in it. */
function openDialog(id, values) {
  const asked = opener;
  const dialog = byId(id).content.querySelector('dialog').cloneNode(true);
  for (const place of dialog.querySelectorAll('[data-shows]')) place.textContent = values[place.dataset.shows] ?? '';
  const known = dialog.querySelector('input[name=key][readonly]');
  if (known) known.value = values.id;
  for (const form of dialog.querySelectorAll('form')) form.noValidate = true;
  dialog.addEventListener('close', () => closed(dialog, asked));
  document.body.append(dialog);
  dialog.showModal();
  const form = dialog.querySelector('form:not([hidden])');
  focusFirst(form ?? dialog);
}

function closed(dialog, asked) {
  dialog.remove();
  if (dialog.dataset.changed !== undefined) refreshAndReturn(asked);
}

async function copy(button) {
  const place = byId(button.dataset.copies);
  const items = [...place.querySelectorAll('li')].map((item) => item.textContent);
  const text = items.length ? items.join('\n') : place.textContent;
  let isCopied = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without TLS browsers have no clipboard for pages: it is marked, so that one keystroke copies it.
    getSelection().selectAllChildren(place);
    isCopied = false;
  }
  const before = button.textContent;
  button.textContent = isCopied ? 'Copied' : 'Press Ctrl+C';
  byId('said').textContent = isCopied ? 'Copied to the clipboard.' : 'Marked. Press Ctrl and C to copy.';
  setTimeout(() => { button.textContent = before; }, 2000);
}

function download(button) {
  const lines = [...byId(button.dataset.downloads).querySelectorAll('li')].map((item) => item.textContent);
  const text = `Dango recovery codes\nEach works once.\n\n${lines.join('\n')}\n`;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  link.download = button.dataset.file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  byId('said').textContent = 'Downloaded.';
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button || button.getAttribute('aria-disabled') === 'true') return;
  const data = button.dataset;
  if (data.opens) {
    opener = button;
    openDialog(data.opens, { ...data });
  } else if ('closes' in data) button.closest('dialog').close();
  else if (data.copies) copy(button);
  else if (data.downloads) download(button);
  else if (data.sends) perform(button, null, { ...data });
});

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (form.dataset.live) {
    event.preventDefault();
    search(form, true);
  }
  if (!form.dataset.sends) return;
  event.preventDefault();
  clearErrors(form);
  if (!isComplete(form)) return;
  const body = bodyOf(form);
  perform(form, body, { ...opener?.dataset, ...(body?.key === undefined ? {} : { key: body.key }) });
});

for (const form of document.querySelectorAll('form[data-sends]')) form.noValidate = true;
document.addEventListener('dango:shown', () => {
  for (const form of document.querySelectorAll('form[data-sends]')) form.noValidate = true;
});

// Searching while typing.
let typing;
async function search(form, isSent) {
  clearTimeout(typing);
  const url = new URL(location.href);
  for (const [name, value] of new FormData(form)) {
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
    url.searchParams.delete(name.replace(/q$/, 'page'));
  }
  url.hash = '';
  history.replaceState(null, '', url);
  const results = `[data-results=${form.dataset.live}]`;
  if (!await refresh(url.href, [results])) return say(NOT_FETCHED, 'bad');
  const rows = document.querySelectorAll(`${results} tbody tr`).length;
  const pages = document.querySelector(`${results} .pager p`);
  byId('said').textContent = rows ? `${pages?.textContent ?? `${rows} rows`}` : 'Nothing was found.';
  if (isSent) form.querySelector('[type=search]').focus();
}
document.addEventListener('input', (event) => {
  const form = event.target.form;
  if (!form?.dataset.live) return;
  clearTimeout(typing);
  typing = setTimeout(() => search(form, false), 200);
});

// The menu closes behind whoever leaves it with the keyboard.
byId('menu')?.addEventListener('focusout', (event) => {
  const menu = event.currentTarget;
  if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.hidePopover();
});

// Nobody has looked lately whether the log is intact: this does, behind the page.
if (document.querySelector('[data-verifies]')) {
  send('GET /api/admin/audit/verify').then(() => refresh(location.href, ['#chain']), () => {});
}
