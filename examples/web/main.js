// A chat for logged-in users. The private key of the Coze app is in the Worker, the login is this page's own, and what the
// page has is a token of this user that ends within minutes.

import { chat } from "./chat.js";

const $ = (id) => document.getElementById(id);
const page = {
  app: $("app"),
  account: $("account"),
  user: $("user"),
  loginForm: $("login-form"),
  name: $("name"),
  chat: $("chat"),
  chatForm: $("chat-form"),
  messages: $("messages"),
  question: $("question"),
  ask: $("ask"),
  status: $("status"),
  error: $("error"),
};

let settings;
let getToken;
let isTokenRejection;
/** Who is logged in, with the JWT of the login: `{ name, idToken, renewAt }`. */
let session;
let conversationId;

try {
  settings = await requestJson("/settings");
  const client = await importClient(settings.tokenUrl);
  isTokenRejection = client.isTokenRejection;
  // The module knows the Worker that served it. It gets the JWT of the user each time it may need one.
  getToken = client.createTokenProvider({ credential: currentIdToken });

  session = await fetchSession();
  show(session === undefined ? "logged-out" : "ready");
} catch (error) {
  page.status.textContent = "";
  showError(error);
}

page.loginForm.addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    await requestJson("/login", { name: page.name.value.trim() });
    session = await fetchSession();
    show("ready");
    page.question.focus();
  });
});

$("logout").addEventListener("click", () => {
  attempt(async () => {
    await requestJson("/logout", {});
    session = undefined;
    conversationId = undefined;
    // The next user must not find what this one has typed.
    page.messages.replaceChildren();
    page.loginForm.reset();
    page.chatForm.reset();
    show("logged-out");
    page.name.focus();
  });
});

page.chatForm.addEventListener("submit", (event) => {
  event.preventDefault();
  const question = page.question.value.trim();
  if (question === "" || page.app.dataset.state === "asking") return;
  attempt(async () => {
    show("asking");
    const asked = addMessage("question", question);
    const answer = addMessage("answer", "");
    try {
      const token = await ask(question, (text) => {
        answer.firstChild.append(text);
        reveal(page.chatForm);
      });
      answer.append(small(`Token ${token.slice(0, 8)}…`)); // never more of it: who reads a token can use it
      reveal(page.chatForm);
      page.question.value = "";
    } catch (error) {
      // The question stays in its field, to be asked again.
      for (const message of [asked, answer]) message.remove();
      throw error;
    } finally {
      if (session !== undefined) show("ready");
    }
  });
});

/** Asks with a token. When Coze rejects that one, asks once more with another. Returns the token that was taken. */
async function ask(question, onText) {
  const parts = { ...settings, userId: session.name, question };
  page.status.textContent = "Asking …";
  const token = await getToken();
  try {
    conversationId = await chat({ ...parts, conversationId, token }, onText);
    return token;
  } catch (error) {
    if (!isTokenRejection(error)) throw error;
  }

  // Coze can end a token early. The Worker has to know which one was rejected, or it would send the same one again.
  page.status.textContent = "Coze rejected the token. Getting another one …";
  const another = await getToken({ rejectedToken: token });
  conversationId = await chat({ ...parts, conversationId, token: another }, onText);
  return another;
}

/** The client module, from the Worker that it gets tokens of. */
async function importClient(tokenUrl) {
  try {
    return await import(new URL("client.js", tokenUrl).href);
  } catch (cause) {
    throw new Error(`The Worker at ${tokenUrl} does not serve its client module. Is npm start running?`, { cause });
  }
}

/** The JWT of the login, renewed a minute before it ends. */
async function currentIdToken() {
  if (Date.now() >= session.renewAt) session = await fetchSession();
  if (session === undefined) {
    show("logged-out");
    throw new Error("Your login has ended. Log in again.");
  }
  return session.idToken;
}

/** Undefined when nobody is logged in. */
async function fetchSession() {
  const { name, id_token, expires_in } = await requestJson("/id-token");
  if (name === null) return undefined;
  return { name, idToken: id_token, renewAt: Date.now() + (expires_in - 60) * 1000 };
}

/** A request to the server of this page: GET, or POST with a body. */
async function requestJson(path, body) {
  const post = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(path, body === undefined ? {} : post);
  const result = await response.json();
  if (!response.ok) throw new Error(result.error);
  return result;
}

async function attempt(action) {
  page.error.replaceChildren();
  try {
    await action();
  } catch (error) {
    showError(error);
  }
}

function show(state) {
  page.app.dataset.state = state;
  page.loginForm.hidden = state !== "logged-out";
  page.account.hidden = page.chat.hidden = state === "logged-out";
  page.user.textContent = session?.name ?? "";
  page.status.textContent = "";
  // Not `disabled`: that would take the focus away from somebody at the keyboard.
  page.ask.setAttribute("aria-disabled", String(state === "asking"));
}

function addMessage(kind, text) {
  const item = document.createElement("li");
  item.className = kind;
  const content = document.createElement("span");
  content.textContent = text; // never innerHTML: an answer is a stranger's text
  item.append(content);
  page.messages.append(item);
  reveal(page.chatForm); // which is below the messages
  return item;
}

/** Scrolls no further than it must. */
function reveal(element) {
  element.scrollIntoView({ block: "nearest" });
}

/** A sentence for the user, and the request id, for the operator's log. */
function showError(error) {
  const sentence = document.createElement("p");
  sentence.textContent = error.description ?? error.message;
  page.error.replaceChildren(sentence);
  if (error.requestId) page.error.append(small(`Request id: ${error.requestId}`));
  reveal(page.error);
  console.error(error);
}

function small(text) {
  const element = document.createElement("small");
  element.textContent = text;
  return element;
}
