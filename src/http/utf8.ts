/** Decodes UTF-8, without its byte order mark; throws a TypeError for other bytes. */
export function decodeUtf8(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
}
