// Pure. No clock, no I/O.

import type { Access } from "./health.ts";

/** Returns the shortest request, to try in a terminal. `url` is the address of the service, with a slash at its end. */
export function curlLine(url: string, access: Access): string {
  return `curl -X POST ${url}${access === "closed" ? ' -H "Authorization: Bearer CREDENTIAL"' : ""} -H "X-User-ID: user123"`;
}

/** Returns a page's use of the client module of this service. */
export function moduleSnippet(url: string, access: Access): string {
  const options = access === "closed" ? "{\n  credential: () => session.access_token,\n}" : "";
  return `import { createTokenProvider } from "${url}client.js";

const getToken = createTokenProvider(${options});
const token = await getToken();`;
}

/** Returns a page's use of the service without the module. */
export function fetchSnippet(url: string, access: Access): string {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the snippet holds a template of its own.
  const credential = access === "closed" ? "Authorization: `Bearer ${session.access_token}`" : '"X-User-ID": "user123"';
  return `${requestLines(url, [credential])}
const token = result.access_token;`;
}

/** Returns a script that runs with Node.js, with its key in the environment. */
export function nodeSnippet(url: string, access: Access): string {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the snippet holds a template of its own.
  const credential = access === "closed" ? ["Authorization: `Bearer ${process.env.KEY}`"] : [];
  return `${requestLines(url, [...credential, '"X-User-ID": "user123"'])}
console.log(result.access_token);`;
}

/** Returns the lines of a shell script, with its key in the environment. */
export function curlSnippet(url: string, access: Access): string {
  const credential = access === "closed" ? '  -H "Authorization: Bearer $KEY" \\\n' : "";
  return `curl -X POST ${url} \\
${credential}  -H "X-User-ID: user123" \\
  -H "Content-Type: application/json" -d '{"duration_seconds": 300}'`;
}

/** Returns the part of a GitHub Actions job that authenticates with the identity of the job. */
export function actionsSnippet(url: string): string {
  const audience = url.replace(/\/$/, "");
  return `permissions:
  id-token: write
steps:
  - run: |
      JWT=$(curl -sSfH "Authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \\
        "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=${audience}" | jq -er .value)
      TOKEN=$(curl -sSf -X POST ${url} -H "Authorization: Bearer $JWT" | jq -er .access_token)
      echo "::add-mask::$TOKEN"
      echo "COZE_TOKEN=$TOKEN" >> "$GITHUB_ENV"`;
}

function requestLines(url: string, headers: readonly string[]): string {
  return `const response = await fetch("${url}", {
  method: "POST",
  headers: {
${headers.map((header) => `    ${header},`).join("\n")}
  },
});
const result = await response.json();
if (!response.ok) throw new Error(result.error_description);`;
}
