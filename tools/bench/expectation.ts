/**
 * Makes sure that what was measured is what it is called.
 * @throws Error that names what was counted, when it is another number than expected.
 */
export function expectCount(counted: string, count: number, expected: number): void {
  if (count !== expected) throw new Error(`Not measured: there were ${count} ${counted}, where ${expected} belong.`);
}
