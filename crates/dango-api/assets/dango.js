// What every page uses: times in the reader's zone, countdowns, focus where the second way of the login is chosen.

const short = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' });
const long = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });

/** Writes every time of a part of the page in the reader's zone; the exact one is in the title. */
function localize(part) {
  for (const time of part.querySelectorAll('time[datetime]:not([data-local])')) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const isThisYear = at.getFullYear() === new Date().getFullYear();
    time.textContent = ('day' in time.dataset ? day : isThisYear ? short : long).format(at);
    time.title = `${exact.format(at)} (${time.dateTime})`;
    time.dataset.local = '';
  }
}

/** Counts down where somebody has to wait. The text is no live region: nobody wants to hear every second. */
function countDown(part) {
  for (const line of part.querySelectorAll('[data-countdown]')) {
    const end = performance.now() + Number(line.dataset.countdown) * 1000;
    const shown = line.querySelector('[role=timer]');
    const tick = () => {
      const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
      shown.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
      if (left > 0) return;
      clearInterval(timer);
      line.textContent = 'You can try again now.';
      line.setAttribute('role', 'status');
    };
    const timer = setInterval(tick, 250);
    tick();
  }
}

/** A form is sent once, however often its button is clicked. */
function sendOnce(event) {
  const form = event.target;
  if (form.method !== 'post' || event.defaultPrevented || form.action.includes('/export')) return;
  if ('sent' in form.dataset) event.preventDefault();
  form.dataset.sent = '';
  setTimeout(() => delete form.dataset.sent, 5000);
}

localize(document);
countDown(document);
document.addEventListener('submit', sendOnce);
document.addEventListener('dango:shown', (event) => localize(event.target));
const focusWay = () => document.querySelector('.way:target input, [aria-invalid=true]')?.focus();
window.addEventListener('hashchange', focusWay);
if (!document.querySelector('[autofocus]')) focusWay();
// What was on a page is not to come back from the browser's memory, and a form that was sent is fresh again.
window.addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});
