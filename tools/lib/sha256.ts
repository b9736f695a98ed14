import { createHash } from "node:crypto";

/** The SHA-256 of a string's UTF-8 bytes, in lower-case hex. */
export function sha256Hex(value: string): string {
  return createHash("sha256").update(value).digest("hex");
}
