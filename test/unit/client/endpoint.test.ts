import { describe, expect, it, vi } from "vitest";
import { createTokenProvider } from "../../../src/client/client.ts";
import { endpointFor } from "../../../src/client/endpoint.ts";

describe("the default endpoint", () => {
  it.each([
    ["https://token.example.com/client.js", "https://token.example.com/"],
    ["https://token.example.com/client.js?v=2", "https://token.example.com/"],
    ["http://127.0.0.1:8787/client.js#x", "http://127.0.0.1:8787/"],
  ])("takes as endpoint the service that served %s", (url, endpoint) => {
    expect(endpointFor(url, true)).toBe(endpoint);
  });

  it.each([
    ["https://app.example.com/assets/client.js"],
    ["https://app.example.com/client.js/app.js"],
    ["https://app.example.com/my-client.js"],
    ["https://app.example.com/client.json"],
    ["https://app.example.com/?/client.js"],
    ["https://user:secret@token.example.com/client.js"],
    ["blob:https://app.example.com/client.js"],
    ["file:///client.js"],
    [undefined],
  ])("finds no endpoint for the module %s", (url) => {
    expect(endpointFor(url, false)).toBeUndefined();
  });

  it("takes the page's own server for visitors only, as the module may be a copy there", () => {
    vi.stubGlobal("location", { origin: "https://app.example.com" });
    expect(endpointFor("https://app.example.com/client.js", true)).toBeUndefined();
    expect(endpointFor("https://app.example.com/client.js", false)).toBe("https://app.example.com/");
    expect(endpointFor("https://token.example.com/client.js", true)).toBe("https://token.example.com/");
    vi.unstubAllGlobals();
  });

  it.each(["token.example.com", "/", "https://me:secret@token.example.com/"])(
    "refuses %s as endpoint, without a request",
    (endpoint) => {
      expect(() => createTokenProvider({ endpoint })).toThrow("endpoint must be the URL of the service.");
    },
  );

  it("requires an endpoint where the module was bundled or copied", () => {
    expect(() => createTokenProvider()).toThrow(new TypeError("endpoint must be the URL of the service."));
    expect(() => createTokenProvider({ endpoint: "" })).toThrow(TypeError);
  });
});
