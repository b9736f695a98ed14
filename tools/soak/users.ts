/** Ids that are easily taken for one another, or for something else, by whoever makes cache keys of them. */
const CONFUSABLE_IDS: readonly string[] = [
  "ada",
  "Ada",
  "ada ada",
  "ada%20ada",
  "ada,ada",
  '"ada"',
  "null",
  "undefined",
  "0",
  "__proto__",
  "constructor",
  "{}",
  "[]",
  "v1:ada",
  "../ada",
  "%E8%89%BE%E8%BE%BE",
  "a".repeat(128),
  `${"a".repeat(127)}b`,
];

/** So many users; the first is nobody: the session that all share who name no user. */
export function createUsers(count: number): readonly (string | undefined)[] {
  const ordinary = Array.from({ length: count }, (_, index) => `user-${index + 1}`);
  return [undefined, ...CONFUSABLE_IDS, ...ordinary].slice(0, count);
}
