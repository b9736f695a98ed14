/** The two regions of Coze. An app lives in one of them, and is not known in the other. */
export const REGIONS = ["cn", "com"] as const;
export type Region = (typeof REGIONS)[number];

/** Where a region issues tokens. */
export type RegionEndpoint = { readonly tokenEndpoint: string; readonly audience: string };

/** The token endpoint of each region, and the audience of its assertions. */
export const REGION_ENDPOINTS: Readonly<Record<Region, RegionEndpoint>> = {
  cn: { tokenEndpoint: "https://api.coze.cn/api/permission/oauth2/token", audience: "api.coze.cn" },
  com: { tokenEndpoint: "https://api.coze.com/api/permission/oauth2/token", audience: "api.coze.com" },
};

/** The region that a token endpoint belongs to; `undefined` if it is none of Coze's. */
export function regionOf(tokenEndpoint: string): Region | undefined {
  const { host } = new URL(tokenEndpoint);
  return REGIONS.find((region) => REGION_ENDPOINTS[region].audience === host);
}
