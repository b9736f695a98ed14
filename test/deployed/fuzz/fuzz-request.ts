import fc from "fast-check";
import { body } from "./body-part.ts";
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
import { anyBytes, mostly, worstFit } from "./part.ts";
import type { OracleRequest } from "./response-oracle.ts";
import { partFor, type Variant } from "./variant.ts";

/** A request as it goes over the wire; every character stands for one byte. */
export type FuzzRequest = OracleRequest & {
  readonly bytes: string;
  /** Whether it ends before it is complete. */
  readonly isUnfinished: boolean;
};

/** A longer counterexample tells no more. */
const MAX_SHOWN_LENGTH = 3000;

/** Requests to a variant, most of them right in most of their parts, and bytes that are no request. */
export function fuzzRequest(variant: Variant): fc.Arbitrary<FuzzRequest> {
  return fc.oneof({ weight: 40, arbitrary: formed(variant) }, formless).map((request) =>
    Object.defineProperty(request, fc.toStringMethod, {
      value: () => `${request.fit}: ${JSON.stringify(request.bytes.slice(0, MAX_SHOWN_LENGTH))}`,
    }),
  );
}

function formed(variant: Variant): fc.Arbitrary<FuzzRequest> {
  const headParts = fc.record({
    host: host(`127.0.0.1:${variant.port}`),
    userId,
    origin: origin.map((part) => partFor(variant, part)),
    credential: credential.map((part) => partFor(variant, part)),
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
      fit: worstFit([method, target, version, ...all].map(({ fit }) => fit)),
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
