/**
 * Returns a `fetch` over `wx.request` that is all the token provider needs. It also serves over `tt.request`,
 * `my.request` and the like, where they have the options of `wx.request`.
 *
 * @param {{ request: (options: object) => { abort: () => void } }} api - `wx`
 */
export function createWxFetch(api) {
  return function wxFetch(url, { method, headers, body, signal, redirect }) {
    return new Promise((resolve, reject) => {
      const task = api.request({
        url,
        method,
        header: headers,
        data: body,
        // From base library 3.2.2, on phones and in the developer tools. Elsewhere wx follows redirects.
        redirect,
        // The provider parses the body itself. Otherwise wx would guess from the content whether it is JSON.
        dataType: "text",
        responseType: "text",
        success: ({ statusCode, header, data }) => resolve(toResponse(statusCode, header, data)),
        fail: ({ errMsg }) => reject(new Error(errMsg)),
      });
      if (signal) signal.addEventListener("abort", () => task.abort());
    });
  };
}

function toResponse(status, header, data) {
  // Devices differ in the case of header names.
  const headers = new Map(Object.entries(header).map(([name, value]) => [name.toLowerCase(), String(value)]));
  return {
    status,
    headers: { get: (name) => headers.get(name.toLowerCase()) ?? null },
    json: async () => JSON.parse(data),
  };
}
