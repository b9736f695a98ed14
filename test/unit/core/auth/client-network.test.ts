import { describe, expect, it } from "vitest";
import { ANYONE, type Caller } from "../../../../src/core/auth/caller.ts";
import {
  clientNetwork,
  exchangeCountKey,
  refusalCountKey,
  requestCountKey,
} from "../../../../src/core/auth/request-count.ts";
import { JWT_RULE } from "../../../support/jwt-rule.ts";

describe("the network of a client", () => {
  it.each([
    ["203.0.113.7", "203.0.113.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:DB8:0000:00a0::1", "2001:db8:0:a0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
    ["1::", "1:0:0:0::/64"],
    ["1:2:3::4:5:6:7", "1:2:3:0::/64"],
    ["64:ff9b::192.0.2.1", "64:ff9b:0:0::/64"],
    ["1:2::5:6:7:192.0.2.1", "1:2:0:5::/64"],
    ["::ffff:203.0.113.7", "203.0.113.7"],
    ["::FFFF:203.0.113.7", "203.0.113.7"],
    ["1:2:3:4:5:6:7:8:9::a", "1:2:3:4::/64"],
    ["x::ffff:203.0.113.7", "x:0:0:0::/64"],
    ["::ffff:203.0.113.7:1", "0:0:0:0::/64"],
    ["::ffff:203.0.113", "0:0:0:0::/64"],
    ["::ffff:203.10.113.17", "203.10.113.17"],
    ["", ""],
  ])("takes the address %s as the client network %s", (address, network) => {
    expect(clientNetwork(address)).toBe(network);
  });
});

describe("the keys that requests and exchanges are counted under", () => {
  const script: Caller = { ...ANYONE, name: "script", credentialRule: { kind: "key", keySha256: "ab" } };
  const web: Caller = { ...ANYONE, name: "web", credentialRule: JWT_RULE };
  const visitors: Caller = { ...ANYONE, name: "visitors", credentialRule: { kind: "anonymous", turnstile: undefined } };
  const source = { address: "203.0.113.7", worker: undefined };

  it.each<[Caller, string | undefined, string, string]>([
    [script, "ada", "script ada", "script ada"],
    [script, undefined, "script ", "script "],
    [web, "ada", "web ada", "web ada"],
    [visitors, "visitors:ada", "visitors 203.0.113.7", "visitors 203.0.113.7 visitors:ada"],
    [visitors, undefined, "visitors 203.0.113.7", "visitors 203.0.113.7 "],
    [ANYONE, "ada", "anyone 203.0.113.7", "anyone 203.0.113.7 ada"],
  ])(
    "counts requests and exchanges of %o for the session %s under %s and %s",
    (caller, sessionName, requestKey, exchangeKey) => {
      expect(requestCountKey(caller, sessionName, () => source)).toBe(requestKey);
      expect(exchangeCountKey(caller, sessionName, () => source)).toBe(exchangeKey);
    },
  );

  it("counts refused credentials for the client network, and for no caller", () => {
    expect(refusalCountKey(source)).toBe("- 203.0.113.7");
    expect(refusalCountKey({ address: undefined, worker: undefined })).toBe("- ");
  });

  it("counts requests for a Worker's zone only when they come from the network of Workers", () => {
    expect(refusalCountKey({ ...source, worker: "a.example" })).toBe("- 203.0.113.7");
    const worker = { address: "2a06:98c0:3600::103", worker: "a.example" };
    expect(refusalCountKey(worker)).toBe("- 2a06:98c0:3600:0::/64 a.example");
    expect(refusalCountKey({ ...worker, worker: undefined })).toBe("- 2a06:98c0:3600:0::/64");
  });
});
