// Pure. No clock, no I/O.

/** Returns a setting or claim as people read it: strings as they are, patterns by their source, all else as JSON. */
export function formatValue(value: unknown): string | undefined {
  if (value instanceof RegExp) return `pattern ${value.source}`;
  if (value instanceof URL) return value.href;
  return typeof value === "string" ? value : JSON.stringify(value);
}
