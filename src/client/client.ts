export function createTokenProvider(): number {
  return 1;
}
