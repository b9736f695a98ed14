// client.js is the file that the service serves as /client.js: `curl -O https://token.example.com/client.js`.
import { createTokenProvider } from "./client.js";
import { createWxFetch } from "./wx-fetch.js";

export const getToken = createTokenProvider({
  endpoint: "https://token.example.com/",
  // A mini-program has neither localStorage nor crypto, so the user must be named: here by the login of your own server.
  credential: () => getApp().globalData.sessionJwt,
  fetch: createWxFetch(wx),
});

// With @coze/uniapp-api or @coze/taro-api:
//   import { onBeforeAPICall } from "./client.js";
//   const client = new CozeAPI({ token: "", onBeforeAPICall: onBeforeAPICall(getToken) });
