import fc from "fast-check";
import { body } from "./body-part.ts";
import type { Door } from "./door.ts";
import {
  credential,
  extra,
  host,
  method,
  origin,
  otherPlace,
  requestId,
  target,
  userId,
  version,
} from "./head-parts.ts";
import { type JudgedRequest, partAt } from "./judged-request.ts";
import { anyBytes, mostly, worstOf } from "./part.ts";

/** A request as it goes over the wire; every character stands for one byte. */
export type FuzzRequest = JudgedRequest & {
  readonly bytes: string;
  /** Whether it ends before it is complete. */
  readonly isUnfinished: boolean;
};

/** More of a counterexample tells nothing more. */
const MAX_SHOWN_LENGTH = 3000;

/** Requests to a door, most of them right in most of their parts, and some that are none. */
export function fuzzRequest(door: Door): fc.Arbitrary<FuzzRequest> {
  return fc.oneof({ weight: 40, arbitrary: formed(door) }, formless).map((request) =>
    Object.defineProperty(request, fc.toStringMethod, {
      value: () => `${request.fit}: ${JSON.stringify(request.bytes.slice(0, MAX_SHOWN_LENGTH))}`,
    }),
  );
}

function formed(door: Door): fc.Arbitrary<FuzzRequest> {
  const headParts = fc.record({
    host: host(`127.0.0.1:${door.port}`),
    userId,
    origin: origin.map((part) => partAt(door, part)),
    credential: credential.map((part) => partAt(door, part)),
    requestId,
    extra,
    body,
  });
  const place = mostly(fc.tuple(method, target), otherPlace);
  return fc.tuple(place, version, headParts).map(([[method, target], version, parts]) => {
    const all = Object.values(parts);
    const head = all.flatMap(({ lines }) => lines);
    const firstLine = `${method.text} ${target.text} ${version.text}`;
    return {
      fit: worstOf([method, target, version, ...all].map(({ fit }) => fit)),
      method: method.text,
      origin: parts.origin,
      head,
      isFormless: false,
      bytes: `${[firstLine, ...head].join("\r\n")}\r\n\r\n${parts.body.payload}`,
      isUnfinished: parts.body.isUnfinished,
    };
  });
}

const formless: fc.Arbitrary<FuzzRequest> = anyBytes.map((bytes) => ({
  fit: "wrong",
  method: "",
  origin: { fit: "either", lines: [] },
  head: [],
  isFormless: true,
  bytes: `${bytes}\r\n\r\n`,
  isUnfinished: true,
}));
