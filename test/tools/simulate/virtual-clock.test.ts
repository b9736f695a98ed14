import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../../../tools/simulate/virtual-clock.ts";

describe("the virtual clock", () => {
  it("lets sleeps end in the order of their times, and of their beginnings where these are equal", async () => {
    const clock = createVirtualClock(0);
    const delays = Array.from({ length: 200 }, (_, index) => (index * 37) % 50);
    const ended: { readonly index: number; readonly at: number }[] = [];
    for (const [index, delay] of delays.entries()) {
      void clock.sleep(delay).then(() => ended.push({ index, at: clock.now() }));
    }
    await clock.runOut();

    const expected = delays.map((at, index) => ({ index, at })).toSorted((a, b) => a.at - b.at);
    expect(ended).toEqual(expected);
  });

  it("stops at the time to which it is advanced, and leaves what is due later", async () => {
    const clock = createVirtualClock(1000);
    let isOver = false;
    void clock.sleep(100).then(() => {
      isOver = true;
    });
    await clock.advanceTo(1099);
    expect([clock.now(), isOver]).toEqual([1099, false]);
    await clock.advanceTo(1100);
    expect([clock.now(), isOver]).toEqual([1100, true]);
  });

  it("ends a sleep at once when it is aborted", async () => {
    const clock = createVirtualClock(0);
    const aborted = new AbortController();
    const sleeping = clock.sleep(1e9, aborted.signal);
    aborted.abort();
    await sleeping;
    await clock.sleep(1e9, aborted.signal);
    expect(clock.now()).toBe(0);
  });
});
