/** Coze documents that an OAuth app holds three key pairs at most. */
export const MAX_KEYS = 3;

/** The region host of an app that was registered without one. */
export const DEFAULT_AUDIENCE = "api.coze.cn";

/** An OAuth app as its owner configured it in the Coze console. */
export type App = {
  readonly clientId: string;
  readonly name: string;
  /** The API host of the region that the app belongs to; the only `aud` it accepts. */
  readonly audience: string;
  readonly active: boolean;
  /** The public keys by their fingerprint, the `kid`. */
  readonly keys: ReadonlyMap<string, CryptoKey>;
};

/** The registered apps by client id. A change puts a new value in the place of the old one. */
export type Apps = Map<string, App>;
