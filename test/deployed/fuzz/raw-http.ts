import { connect } from "node:net";
import type { ReceivedResponse } from "../../../tools/soak/response-check.ts";

/** What became of bytes that were sent: the first final response, or none. */
export type RawOutcome = ReceivedResponse | "closed without a response" | "no response in time";

export type RawRequest = {
  readonly port: number;
  /** One character for each byte. */
  readonly bytes: string;
  /** Says after the bytes that no more will come. */
  readonly isUnfinished: boolean;
  /** The response to a HEAD has the headers of a body and no body (RFC 9110 §9.3.2). */
  readonly isHead: boolean;
};

/** The Worker gives an exchange as long as this; here Coze has no faults, and everything takes some milliseconds. */
export const LIMIT_MS = 10_000;

/**
 * Sends bytes over a connection of their own, and reads what comes back, for ten seconds at most. It is not for more
 * bytes than the buffers of a connection take at once: where the server stops reading, Node drops the response with them.
 */
export function sendRaw({ port, bytes, isUnfinished, isHead }: RawRequest): Promise<RawOutcome> {
  return new Promise((resolve) => {
    let received = "";
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    const timer = setTimeout(() => finish("no response in time"), LIMIT_MS);
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => {
      received += chunk;
      const response = readResponse(received, isHead, false);
      if (response !== undefined) finish(response);
    });
    // A server that refuses a request need not read all of it; a response before the connection broke still counts.
    const end = () => finish(readResponse(received, isHead, true) ?? "closed without a response");
    socket.on("end", end).on("close", end).on("error", end);
    socket.write(bytes, "latin1");
    if (isUnfinished) socket.end();

    function finish(outcome: RawOutcome): void {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    }
  });
}

/** The first final response in a string (RFC 9112), once it is complete; interim ones such as 100 are skipped. */
function readResponse(text: string, isHead: boolean, isAll: boolean): ReceivedResponse | undefined {
  const [, statusText, fields = "", rest = ""] =
    /^HTTP\/1\.[01] (\d{3})[^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n(.*)$/s.exec(text) ?? [];
  if (statusText === undefined) return undefined;
  const status = Number(statusText);
  if (status < 200) return readResponse(rest, isHead, isAll);

  const headers = readFields(fields);
  const body = isHead || status === 204 || status === 304 ? "" : readBody(rest, headers, isAll);
  return body === undefined ? undefined : { status, headers, text: Buffer.from(body, "latin1").toString() };
}

function readFields(fields: string): Headers {
  const headers = new Headers();
  for (const [, name, value] of fields.matchAll(/^([^:\r\n]+):[ \t]*([^\r\n]*)\r\n/gm)) {
    if (name !== undefined && value !== undefined) headers.append(name, value);
  }
  return headers;
}

function readBody(rest: string, headers: Headers, isAll: boolean): string | undefined {
  if (headers.get("Transfer-Encoding") === "chunked") return readChunks(rest);
  const length = Number(headers.get("Content-Length") ?? Number.POSITIVE_INFINITY);
  if (rest.length >= length) return rest.slice(0, length);
  return isAll && length === Number.POSITIVE_INFINITY ? rest : undefined;
}

function readChunks(rest: string): string | undefined {
  const [head, size] = /^([0-9a-f]+)\r\n/i.exec(rest) ?? [];
  if (head === undefined || size === undefined) return undefined;
  const bytes = Number.parseInt(size, 16);
  if (bytes === 0) return "";

  const after = head.length + bytes;
  const more = rest.length < after + 2 ? undefined : readChunks(rest.slice(after + 2));
  return more === undefined ? undefined : rest.slice(head.length, after) + more;
}
