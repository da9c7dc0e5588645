// Every component in every state that it has, on the page that only a debug build serves.

import { scenario } from "../harness.mjs";
import { judge } from "../judges.mjs";

await scenario(async (house) => {
  const page = await house.visitor();
  await page.goto("/components", { waitUntil: "networkidle" });
  await page.getByRole("heading", { level: 1 }).waitFor();
  await judge(page, "the components");
});
