/** Characters that mean nothing special to a shell. */
const PLAIN = /^[\w@%+=:,./-]+$/;

/** Quotes a value for a command that a person will paste into a shell (POSIX), if it needs quotes. */
export function shellWord(value: string): string {
  if (value === "") return '""';
  return PLAIN.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
}
