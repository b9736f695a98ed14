import { expect, it } from "vitest";
import { RECIPES } from "../../../tools/setup/recipes.ts";
import { RECIPES as DOCUMENTED } from "../../support/recipes.ts";

it.each([
  ["Supabase", RECIPES.supabase.callerFor("YOUR_PROJECT")],
  ["Auth0", RECIPES.auth0.callerFor("YOUR_TENANT.eu.auth0.com", "https://token.example.com")],
  ["Clerk", RECIPES.clerk.callerFor("clerk.example.com", "https://app.example.com")],
  ["Firebase", RECIPES.firebase.callerFor("YOUR_PROJECT")],
  ["Cloudflare Access", RECIPES.access.callerFor("YOUR_TEAM", "the application's AUD tag")],
  ["GitHub Actions", RECIPES.github.callerFor("your-org/your-repo", "https://token.example.com")],
] as const)("writes the caller that docs/callers.md has for %s", (name, caller) => {
  expect(caller).toEqual(DOCUMENTED[name]);
});
