// For a backend of your own between the mini-program and the service. Set TOKEN_URL and API_KEY.

/**
 * Returns the service's response to a token request of the mini-program: its status, body, `Cache-Status` and
 * `Retry-After` are what the token provider needs.
 *
 * @param {string} userId - whom your own session belongs to. Never an id that the mini-program sends.
 * @param {string} body - the body of the mini-program's request, which may be empty
 */
export async function respondWithToken(userId, body) {
  const response = await fetch(process.env.TOKEN_URL, {
    method: "POST",
    headers: {
      Authorization: `Bearer ${process.env.API_KEY}`,
      "X-User-ID": userId,
      "Content-Type": "application/json",
    },
    body: body || "{}",
    signal: AbortSignal.timeout(15_000),
  });
  const names = ["Content-Type", "Cache-Status", "Retry-After"].filter((name) => response.headers.has(name));
  const headers = names.map((name) => [name, response.headers.get(name)]);
  return new Response(await response.text(), { status: response.status, headers });
}
