// Every page in the states in which people see it, drawn into the folder `DANGO_SCREENSHOTS`: wide and narrow, light and dark, or once
// each with `DANGO_SCREENSHOTS_QUICK`. The pictures are for people; what can be checked is checked by the scenarios.

import { appendFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { dango, origin, scenario } from "./harness.mjs";
import { ADMIN, authenticator, heading, openMenu, signIn, signedIn } from "./people.mjs";

const FOLDER = process.env.DANGO_SCREENSHOTS;
const QUICK = "DANGO_SCREENSHOTS_QUICK" in process.env;
const WIDTHS = QUICK ? [1280] : [1280, 320];
const SCHEMES = QUICK ? ["light"] : ["light", "dark"];
// No picture is taken on the way from one colour to another.
const STILL = { reducedMotion: "reduce" };

// Sources that are connected, by when that ends: in so many days.
const CONNECTIONS = [["google_sheets", "google", null], ["google_ads", "google", 30], ["facebook_ads", "facebook", 3], ["hubspot", "hubspot", -1]];

await mkdir(FOLDER, { recursive: true });
await scenario(async (house) => {
  const guest = await house.visitor(STILL);
  await shoot(guest, "components", () => guest.goto("/components"));
  await shoot(guest, "login", () => guest.goto("/login"));
  await shoot(guest, "login-refused", () => signIn(guest, { email: ADMIN.email, password: "wrong" }));
  const invited = JSON.parse(await dango("auth", "add-user", "invited@team.example", "--role", "editor", "--base-url", origin, "--json"));
  await shoot(guest, "invite", () => guest.goto(invited.invite_url));
  await shoot(guest, "invite-dead", () => guest.goto(`/invite/${"x".repeat(43)}`));
  await shoot(guest, "claim", () => guest.goto(`/setup/${"x".repeat(43)}`));
  const temporary = JSON.parse(await dango("auth", "add-user", "bob@team.example", "--password", "--json"));
  await shoot(guest, "setup", () => signIn(guest, { email: "bob@team.example", password: temporary.temp_password }));
  await dango("auth", "add-user", "locked@team.example", "--password");
  const locked = await house.visitor(STILL);
  for (let turn = 0; turn < 5; turn += 1) await signIn(locked, { email: "locked@team.example", password: "wrong" });
  await shoot(locked, "login-locked", () => signIn(locked, { email: "locked@team.example", password: "wrong" }));
  await dango("auth", "add-user", "off@team.example", "--password");
  await dango("auth", "deactivate-user", "off@team.example", "--yes");

  const page = await signedIn(await house.visitor(STILL));
  await shoot(page, "secrets-empty");
  const set = (key, value) => page.context().request.post("/api/secrets", { data: { key, value }, headers: { origin } });
  for (const key of ["STRIPE_API_KEY", "WAREHOUSE_PASSWORD", "A_NAME_THAT_IS_MUCH_LONGER_THAN_WHAT_ANYBODY_WOULD_TYPE_TWICE"]) await set(key, "x");
  await shoot(page, "secrets", () => page.goto("/settings/secrets"));
  await appendFile(".dlt/secrets.toml", CONNECTIONS.map(record).join(""));
  await shoot(page, "secrets-connections", () => page.goto("/settings/secrets"));
  await dialog(page, "secrets-add", "Add Variable");
  await dialog(page, "secrets-edit", "Edit STRIPE_API_KEY");
  await dialog(page, "secrets-delete", "Delete STRIPE_API_KEY");
  await shoot(page, "menu", () => openMenu(page));
  await shoot(page, "users", () => page.goto("/settings/users"));
  await shoot(page, "audit", () => page.goto("/settings/audit"));
  await shoot(page, "audit-nothing", () => page.goto("/settings/audit?actor=nobody%40team.example"));
  await shoot(page, "missing", () => page.goto("/settings/nothing-here"));
  await shoot(page, "account", () => page.goto("/settings/account"));
  await dialog(page, "key-new", "Create Key");
  await page.getByRole("button", { name: "Create Key" }).click();
  await page.getByLabel("Key Name").fill("nightly sync");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByRole("button", { name: "Done" }).waitFor();
  await shoot(page, "key-shown");
  await page.goto("/settings/account");

  await page.getByRole("button", { name: "Enable 2FA" }).click();
  const enable = page.getByRole("dialog", { name: "Enable 2FA" });
  await shoot(page, "2fa-password");
  await enable.getByLabel("Password").fill(ADMIN.password);
  await enable.getByRole("button", { name: "Continue" }).click();
  const secret = enable.getByRole("textbox", { name: "Secret" });
  await enable.getByRole("button", { name: "Verify & Enable" }).waitFor();
  const code = authenticator((await secret.textContent()).trim());
  await shoot(page, "2fa-qr");
  await enable.getByLabel("Authentication code").fill(await code());
  await enable.getByRole("button", { name: "Verify & Enable" }).click();
  await enable.getByRole("button", { name: "Download" }).waitFor();
  await shoot(page, "2fa-recovery-codes");
  await shoot(page, "account-with-2fa", () => page.goto("/settings/account"));
  const second = await house.visitor(STILL);
  await signIn(second);
  await heading(second, "Two-factor authentication").waitFor();
  await shoot(second, "login-verify");
  await shoot(second, "login-verify-recovery", () => second.getByRole("link", { name: "Use a recovery code instead" }).click());
});

function record([name, provider, days]) {
  const time = (at) => new Date(at).toISOString();
  const end = days === null ? "" : `expires_at = "${time(Date.now() + days * 86_400_000)}"\n`;
  return `\n[dango.oauth.${name}]\nprovider = "${provider}"\nidentifier = "ada@team.example"\ncreated_at = "${time(Date.now() - 86_400_000)}"\n${end}`;
}

async function dialog(page, name, button) {
  await page.getByRole("button", { name: button }).first().click();
  await shoot(page, name);
  await page.keyboard.press("Escape");
}

async function shoot(page, name, go = async () => {}) {
  await go();
  await page.waitForLoadState("networkidle");
  for (const width of WIDTHS) {
    for (const colorScheme of SCHEMES) {
      await page.setViewportSize({ width, height: 800 });
      await page.emulateMedia({ colorScheme });
      // What a dialog covers goes as far as the window.
      const fullPage = (await page.getByRole("dialog").count()) === 0;
      await page.screenshot({ path: join(FOLDER, `${name}-${colorScheme}-${width}.png`), fullPage });
    }
  }
  await page.setViewportSize({ width: 1280, height: 800 });
}
