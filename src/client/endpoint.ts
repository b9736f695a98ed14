/** Pure. No I/O. */

/** The whole path must be `/client.js`: any other file was bundled or copied, and its server is not the service. */
const SERVED_MODULE = /^(https?:\/\/[^/?#@]+\/)client\.js(?:[?#]|$)/;

/** Returns the address of the service that served a module, by the module's URL, or `undefined` if none did. */
export function endpointFor(moduleUrl: string | undefined): string | undefined {
  return SERVED_MODULE.exec(moduleUrl ?? "")?.[1];
}
