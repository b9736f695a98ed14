import { describe, expect, it } from "vitest";
import { isTokenRejection, TokenProviderError } from "../../../src/client/client.ts";

const INVALID = { code: 4100, msg: "authentication is invalid", detail: { logid: "2025" } };

/** An error as the SDKs make it: with properties of their own. */
const errorWith = (message: string, properties: object = {}) => Object.assign(new Error(message), properties);

describe("isTokenRejection", () => {
  it.each<[string, unknown]>([
    ["a Response with the status 401", new Response(null, { status: 401 })],
    ["a response of wx.request", { statusCode: 401, data: "" }],
    ["a body with the code 4100", INVALID],
    ["a body with the code 4101", { code: 4101, msg: "no permission" }],
    ["a body with the code 700012006", { code: 700012006 }],
    ["a body with the code in a string", { code: "4100" }],
    ["a response of wx.request with the body", { statusCode: 200, data: INVALID }],
    ["an error of @coze/api with the code alone", errorWith("code: 4101", { status: 403, code: 4101 })],
    ["an error with the body in rawError", errorWith("no", { status: 200, rawError: INVALID })],
    ["an error of axios", errorWith("Request failed", { response: { status: 401, data: "" } })],
    ["an error of axios with Coze's body", errorWith("Request failed", { response: { status: 200, data: INVALID } })],
    ["an event with the body in error", { error: INVALID }],
    ["an error event of a stream", { event: "error", data: { code: 4100, msg: "" } }],
    ["an error event of a stream as text", { event: "error", data: JSON.stringify(INVALID) }],
    ["an upload's error, whose message is the body", errorWith(JSON.stringify(INVALID))],
    ["the sentence of an SDK", errorWith("code: 4101, msg: no permission, logid: 2025")],
    ["axios' sentence", "Request failed with status code 401"],
    ["the SDK's sentence without a body", errorWith("http status code: 401 (no body)")],
    ["the status text", errorWith("Unexpected error: Unauthorized", { status: 500 })],
    ["a cause", errorWith("chat failed", { cause: errorWith("inner", { status: 401 }) })],
  ])("finds a token rejection in %s", (_, value) => {
    expect(isTokenRejection(value)).toBe(true);
  });

  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["a number", 401],
    ["a Response with the status 403", new Response(null, { status: 403 })],
    ["a successful body", { code: 0, msg: "", data: { id: "4100" } }],
    ["another code of Coze", { code: 4000, msg: "4100 items are too many" }],
    ["another code that contains one", errorWith("code: 41000")],
    ["a failing network", errorWith("Network Error", { code: "ERR_NETWORK" })],
    ["an error of the service", new TokenProviderError({ code: "invalid_client", description: "No.", status: 401 })],
    ["an SDK's error with the message of one", errorWith("invalid_response: HTTP 401 without a token.")],
    [
      "an error around an error of the service",
      errorWith("chat failed", { cause: new TokenProviderError({ code: "x", description: "No.", status: 401 }) }),
    ],
  ])("finds no token rejection in %s", (_, value) => {
    expect(isTokenRejection(value)).toBe(false);
  });

  it("ends on an error that contains itself", () => {
    const error = errorWith("round");
    expect(isTokenRejection(Object.assign(error, { cause: error }))).toBe(false);
  });
});
