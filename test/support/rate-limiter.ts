/** A rate limiter that lets so many requests of each key through, and remembers the keys. */
export function limiterOf(limit: number) {
  const keys: string[] = [];
  return {
    keys,
    async limit({ key }: { readonly key: string }) {
      keys.push(key);
      return { success: keys.filter((known) => known === key).length <= limit };
    },
  };
}

/** A request as Cloudflare passes it on from this address. */
export function fromAddress(address: string, init: RequestInit = {}): RequestInit {
  return { ...init, headers: { ...Object.fromEntries(new Headers(init.headers)), "CF-Connecting-IP": address } };
}
