// From the link on the terminal to a signed-in administrator.

import assert from "node:assert/strict";
import { scenario } from "../harness.mjs";
import { judge } from "../judges.mjs";
import { choosePassword, heading, typeLogin } from "../people.mjs";

const LINK = process.env.DANGO_TEST_SETUP_LINK;
const PASSWORD = "correct horse battery staple";
const FIELDS = ["Password", "Confirm Password", "Set Password"];

await scenario(async (house) => {
  const page = await house.visitor();
  await page.goto(LINK);
  await heading(page, "Set up Dango").waitFor();
  await judge(page, "the setup link");
  await page.getByLabel("Email").fill("ada@team.example");
  await choosePassword(page, PASSWORD, FIELDS);
  await page.waitForURL(/\/login$/);
  await typeLogin(page, { email: "ada@team.example", password: PASSWORD });
  await heading(page, "Secrets & Credentials").waitFor();
  await judge(page, "secrets without any");

  // It works once; afterwards it says so and leads on.
  const other = await house.visitor();
  await other.goto(LINK);
  await other.getByLabel("Email").fill("eve@team.example");
  await choosePassword(other, PASSWORD, FIELDS);
  await heading(other, "This link is not valid").waitFor();
  await judge(other, "a used setup link");
  await other.getByRole("link", { name: "Go to the login page" }).click();
  await heading(other, "Sign in to your account").waitFor();
  assert.equal(new URL(other.url()).pathname, "/login");
});
