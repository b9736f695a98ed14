/** Shorter pieces could be part of any word. */
const MIN_PIECE_LENGTH = 8;

/** Takes a secret out of what another machine has said, also where it quotes only 8 or more characters of it. */
export function redact(text: string, secret: string): string {
  const minLength = Math.min(MIN_PIECE_LENGTH, secret.length);
  let redacted = "";
  for (let at = 0; at < text.length; ) {
    let end = at + minLength;
    if (minLength === 0 || end > text.length || !secret.includes(text.slice(at, end))) {
      redacted += text[at];
      at += 1;
      continue;
    }
    while (end < text.length && secret.includes(text.slice(at, end + 1))) end += 1;
    redacted += "[secret]";
    at = end;
  }
  return redacted.replaceAll(/(\[secret\])+/g, "[secret]");
}
