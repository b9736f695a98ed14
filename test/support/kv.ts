import { env } from "cloudflare:workers";

/** The real KV namespace, except that one of its methods always fails. */
export function kvThatThrowsOn(method: "get" | "put"): KVNamespace {
  return new Proxy(env.TOKEN_CACHE, {
    get(kv, property) {
      if (property === method) return () => Promise.reject(new Error(`KV ${method} failed`));
      const value: unknown = Reflect.get(kv, property);
      return typeof value === "function" ? value.bind(kv) : value;
    },
  });
}
