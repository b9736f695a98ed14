import { expect, it } from "vitest";
import { audienceFor, isOneRegion, parseAudience } from "../../../src/config/coze-region.ts";
import { invalid } from "../../../src/core/issue.ts";

const CHINA = "api.coze.cn";
const WORLD = "api.coze.com";

it.each([CHINA, "proxy.example", "localhost", "127.0.0.1", "[::1]", "coze.test:8443"])(
  "accepts as AUDIENCE the host %s",
  (host) => {
    expect(parseAudience(host)).toEqual({ value: host });
  },
);

it.each<unknown>([
  ...["https://api.coze.cn", "api.coze.cn/", "u@api.coze.cn", "api.coze.cn?", "api.coze.cn#", "api.coze.cn:443"],
  ...[" api.coze.cn", "A.coze.cn", "a b.coze.cn", "", null, { host: CHINA }, [[CHINA]], { toString: CHINA }],
])("refuses as AUDIENCE %j, which is no host", (value) => {
  expect(parseAudience(value)).toEqual(invalid(expect.stringMatching(/^must be a host name such as /)));
});

it.each([
  [CHINA, CHINA],
  [WORLD, WORLD],
  ["proxy.example", CHINA],
  [`${WORLD}.example`, CHINA],
])("derives for a token endpoint at %s the audience %s", (host, audience) => {
  const endpoint = new URL(`https://${host}/t`);
  expect(audienceFor(endpoint)).toBe(audience);
  expect(isOneRegion(audience, endpoint)).toBe(true);
});

it.each<[string | undefined, string, boolean]>([
  [WORLD, CHINA, false],
  [CHINA, WORLD, false],
  [undefined, WORLD, true],
  [WORLD, "proxy.example", true],
  ["proxy.example", WORLD, true],
])("finds the audience %s and a token endpoint at %s of one region: %s", (audience, host, isOne) => {
  expect(isOneRegion(audience, new URL(`https://${host}/t`))).toBe(isOne);
});
