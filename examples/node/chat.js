// Uses Coze from Node.js with the official SDK, for one user. The private key stays with the Worker.
//
//   npm install                                     (@coze/api, as package.json says)
//   curl -O https://token.example.com/client.js     (the token provider, from your own Worker)
//   node chat.js "What can you do?"
//
// Against `npm start` it runs as it is: curl -O http://127.0.0.1:8787/client.js. Otherwise set TOKEN_URL and COZE_API, and
// API_KEY, the key of your caller, if the service is closed.

import { CozeAPI } from "@coze/api";
import { createTokenProvider, isTokenRejection } from "./client.js";

const {
  TOKEN_URL = "http://127.0.0.1:8787/",
  COZE_API = "http://127.0.0.1:4000", // https://api.coze.cn or https://api.coze.com
  API_KEY,
  USER_ID = "user123",
  BOT_ID = "7379462189365198898",
} = process.env;

// Gets a token when one is needed, and keeps it while it is good. One provider for one user.
const getToken = createTokenProvider({ endpoint: TOKEN_URL, userId: USER_ID, credential: API_KEY });

try {
  const owner = await withToken((coze) => coze.users.me());
  console.log(`The app belongs to ${owner.nick_name}.`);

  const [question = "What can you do?"] = process.argv.slice(2);
  await withToken((coze) => chat(coze, question));
} catch (error) {
  // A TokenProviderError says in `description` what to do, and in `requestId` where the log of the service has it.
  console.error(error.description ?? error.message, error.requestId ? `(request id ${error.requestId})` : "");
  process.exitCode = 1;
}

/**
 * Does the work, and once more with another token if Coze rejects the first: it can end a token before its time. Without
 * that, `new CozeAPI({ baseURL: COZE_API, token: getToken })` is all it takes.
 */
async function withToken(work) {
  const token = await getToken();
  try {
    return await work(clientFor(token));
  } catch (error) {
    if (!isTokenRejection(error)) throw error;
    return work(clientFor(await getToken({ rejectedToken: token })));
  }
}

function clientFor(token) {
  return new CozeAPI({ baseURL: COZE_API, token });
}

async function chat(coze, question) {
  const stream = coze.chat.stream({
    bot_id: BOT_ID,
    user_id: USER_ID,
    additional_messages: [{ role: "user", content_type: "text", content: question }],
  });
  for await (const { event, data } of stream) {
    if (event === "conversation.message.delta") process.stdout.write(data.content);
    if (event === "conversation.chat.failed") throw new Error(data.last_error.msg);
  }
  process.stdout.write("\n");
}
