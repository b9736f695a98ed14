/** The callers of docs/callers.md ("Recipes"), word for word, by their headings. */
export const RECIPES = {
  Supabase: {
    name: "web-users",
    issuer: "https://YOUR_PROJECT.supabase.co/auth/v1",
    audience: "authenticated",
    claims: { role: "authenticated", is_anonymous: false },
  },
  Auth0: {
    name: "web-users",
    issuer: "https://YOUR_TENANT.eu.auth0.com/",
    audience: "https://token.example.com",
  },
  Clerk: {
    name: "web-users",
    issuer: "https://clerk.example.com",
    claims: { azp: "https://app.example.com", sts: "active" },
  },
  Firebase: {
    name: "web-users",
    issuer: "https://securetoken.google.com/YOUR_PROJECT",
    audience: "YOUR_PROJECT",
    claims: { email_verified: true },
  },
  "Cloudflare Access": {
    name: "staff",
    issuer: "https://YOUR_TEAM.cloudflareaccess.com",
    jwks_uri: "https://YOUR_TEAM.cloudflareaccess.com/cdn-cgi/access/certs",
    audience: "the application's AUD tag",
    user_id: "email",
  },
  "GitHub Actions": {
    name: "release-job",
    issuer: "https://token.actions.githubusercontent.com",
    audience: "https://token.example.com",
    claims: { repository: "your-org/your-repo", ref: "refs/heads/main", event_name: "push" },
    user_id: "repository",
  },
};
