// Somebody who was invited chooses a password by the link, once.

import { dango, origin, scenario } from "../harness.mjs";
import { judge } from "../judges.mjs";
import { choosePassword, heading, signedIn } from "../people.mjs";

const PASSWORD = "another horse in the stable";
const FIELDS = ["Password", "Confirm Password", "Set Password"];

await scenario(async (house) => {
  const { invite_url: link } = JSON.parse(await dango("auth", "add-user", "carol@team.example", "--base-url", origin, "--json"));
  const page = await house.visitor();
  await page.goto(link);
  await page.getByText("You are invited as carol@team.example.").waitFor();
  await judge(page, "an invitation");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByLabel("Confirm Password").fill("something else");
  await page.getByRole("button", { name: "Set Password" }).click();
  await page.getByLabel("Confirm Password").and(page.locator("[aria-invalid=true]")).waitFor();
  await judge(page, "two passwords that are not the same");
  await choosePassword(page, PASSWORD, FIELDS);
  await page.waitForURL(/\/login$/);
  await signedIn(page, { email: "carol@team.example", password: PASSWORD });
  await heading(page, "Account Settings").waitFor();

  const late = await house.visitor();
  await late.goto(link);
  await heading(late, "This invitation is not valid").waitFor();
  await judge(late, "a used invitation");
  await late.getByRole("link", { name: "Go to the login page" }).click();
  await heading(late, "Sign in to your account").waitFor();
});
