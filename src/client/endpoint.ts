/** The whole path must be `/client.js`: any other file was bundled or copied, and its server is not the service. */
const SERVED_MODULE = /^(https?:\/\/[^/?#@]+)\/client\.js(?:[?#]|$)/;

/**
 * Returns the address of the service that served a module, by the module's URL, or `undefined` if none did. A module from
 * the page's own server may be a copy, so it finds no service for a credential.
 */
export function endpointFor(moduleUrl: string | undefined, hasCredential: boolean): string | undefined {
  const origin = SERVED_MODULE.exec(moduleUrl ?? "")?.[1];
  // Not every runtime has a location, and the types of some do not know it.
  const page = (globalThis as { readonly location?: { readonly origin?: string } }).location?.origin;
  return origin && !(hasCredential && origin === page) ? `${origin}/` : undefined;
}
