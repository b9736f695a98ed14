import { describe, expect, it } from "vitest";
import { createExpiringMap } from "../../../tools/emulator/expiring-map.ts";

describe("an expiring map", () => {
  it("forgets a map entry in the second in which it expires", () => {
    let now = 9_999;
    const map = createExpiringMap<string>(() => now);
    map.set("a", "value", 10);

    expect(map.get("a")).toBe("value");
    now = 10_000;
    expect(map.get("a")).toBeUndefined();
    expect(map.live()).toEqual([]);
  });

  it("lists live map entries, oldest first, however many expire beside them", () => {
    let now = 0;
    const map = createExpiringMap<number>(() => now);
    for (let index = 0; index < 5_000; index += 1) {
      now = index;
      map.set(`short ${index}`, index, 1 + index / 1000);
      if (index % 1_000 === 0) map.set(`long ${index}`, index, 100);
    }
    now = 50_000;

    expect(map.live()).toEqual([0, 1_000, 2_000, 3_000, 4_000].map((index) => [`long ${index}`, index]));
    expect(map.get("long 0")).toBe(0);
  });

  it("forgets a deleted map entry", () => {
    const map = createExpiringMap<number>(() => 0);
    map.set("a", 1, 10);
    map.delete("a");

    expect(map.get("a")).toBeUndefined();
  });
});
