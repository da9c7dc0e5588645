// What people do: sign in, type codes, use the menu. Everything is found by its role and name, as people find it.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { dango, origin } from "./harness.mjs";

// The administrator that every server has, but in the scenario of the first start.
export const ADMIN = { email: process.env.DANGO_TEST_EMAIL, password: process.env.DANGO_TEST_PASSWORD };

export const heading = (page, name) => page.getByRole("heading", { level: 1, name });

// Fills in the login page, wherever it was asked for.
export async function typeLogin(page, { email, password }) {
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign In" }).click();
}

export async function signIn(page, person = ADMIN) {
  await page.goto("/login");
  await typeLogin(page, person);
}

// Signs in an administrator, who comes to the secrets, as everybody else comes to their account.
export async function signedIn(page, person = ADMIN) {
  await signIn(page, person);
  await page.waitForURL(/\/settings\//);
  return page;
}

// Makes the administrator of a server that has none, from its invitation on, and goes to the secrets.
export async function firstSignedIn(page) {
  const invited = JSON.parse(await dango("auth", "add-user", ADMIN.email, "--role", "admin", "--base-url", origin, "--json"));
  await page.goto(invited.invite_url);
  await choosePassword(page, ADMIN.password, ["Password", "Confirm Password", "Set Password"]);
  await page.waitForURL(/\/login$/);
  await page.goto("/settings/secrets");
  await typeLogin(page, ADMIN);
}

export async function choosePassword(page, password, [first, again, button]) {
  await page.getByLabel(first, { exact: true }).fill(password);
  await page.getByLabel(again, { exact: true }).fill(password);
  await page.getByRole("button", { name: button }).click();
}

export async function openMenu(page) {
  await page.getByRole("button", { name: "Settings" }).click();
  return page.getByRole("navigation", { name: "Settings" });
}

export async function logOut(page) {
  await (await openMenu(page)).getByRole("button", { name: "Logout" }).click();
  await page.waitForURL(/\/login/);
}

// Goes through the pages of the certified provider: signs in where it asks, and agrees, until it sends the browser back.
export async function agreeAt(page, provider, name) {
  await page.waitForURL((url) => url.origin === provider);
  while (new URL(page.url()).origin === provider) {
    const login = page.locator("input[name=login]");
    if (await login.count()) {
      await login.fill(name);
      await page.locator("input[name=password]").fill("any");
    }
    const left = page.waitForEvent("framenavigated", (frame) => frame === page.mainFrame());
    await page.locator("[type=submit]").click();
    await left;
  }
}

// The card of a connection, by its title.
export const card = (page, title) => page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: title, exact: true }) });

// A row of a table, by the text that it is about.
export const row = (page, text) => page.getByRole("row").filter({ hasText: text });

// What was just done is said where it is seen and where it is heard.
export async function isSaid(page, text) {
  await page.getByRole("status").filter({ hasText: text }).waitFor({ state: "attached" });
}

// The code of one step of RFC 6238, with SHA-1, 30 seconds and 6 digits, as every authenticator app makes it.
export function totp(secret, step) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac("sha1", base32(secret)).update(counter).digest();
  const number = digest.readUInt32BE(digest.at(-1) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

// An authenticator app: gives a code that was not used before each time, the earliest that the server takes.
export function authenticator(secret) {
  let used = 0;
  return async () => {
    // The server takes the step before, too; but not if it passes while the code is typed.
    const seconds = Date.now() / 1000;
    used = Math.max(used + 1, Math.floor(seconds / 30) - (seconds % 30 < 15 ? 1 : 0));
    await pause(Math.max(0, (used - 1) * 30_000 - Date.now()));
    return totp(secret, used);
  };
}

function base32(text) {
  const bits = [...text.replace(/[\s=]/g, "")].map((letter) => {
    const value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter);
    assert.notEqual(value, -1, `${letter} is no letter of base32`);
    return value.toString(2).padStart(5, "0");
  });
  return Buffer.from(bits.join("").match(/.{8}/g).map((byte) => parseInt(byte, 2)));
}
