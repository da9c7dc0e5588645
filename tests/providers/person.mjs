// Somebody with a browser, at the pages of oidc_provider.mjs: `node person.mjs ADDRESS NAME` signs in and says yes, and prints the
// address at which the browser ends: the first one at another server, which is not asked.
const [start, name] = process.argv.slice(2);
const { origin } = new URL(start);
const jar = new Map();

async function go(url, options = {}) {
  for (;;) {
    const response = await fetch(url, {
      redirect: "manual",
      ...options,
      headers: { ...options.headers, cookie: [...jar].map((pair) => pair.join("=")).join("; ") },
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [pair] = cookie.split(";");
      const at = pair.indexOf("=");
      jar.set(pair.slice(0, at), pair.slice(at + 1));
    }
    const location = response.headers.get("location");
    if (!location) return { url, page: await response.text() };
    url = new URL(location, url).href;
    if (new URL(url).origin !== origin) {
      console.log(url);
      process.exit(0);
    }
    options = {};
  }
}

let { url, page } = await go(start);
for (;;) {
  const action = page.match(/action="([^"]+)"/)?.[1];
  const prompt = page.match(/name="prompt" value="([^"]+)"/)?.[1];
  if (!action || !prompt) {
    console.error(page);
    process.exit(1);
  }
  const fields = prompt === "login" ? { prompt, login: name, password: "any" } : { prompt };
  ({ url, page } = await go(new URL(action, url).href, {
    method: "POST",
    body: new URLSearchParams(fields),
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
  }));
}
