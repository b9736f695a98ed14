import { createServer } from "node:net";
import { Failure } from "../lib/failure.ts";

/** The Worker and the emulator are for this machine only. */
export const HOST = "127.0.0.1";

const MAX_PORT = 65_535;

/** A port to listen on, and how the user chooses another. */
export type Port = { readonly number: number; readonly option: string; readonly variable: string };

/** Reads a port from 1 to 65535, or is undefined. */
export function parsePort(text: string): number | undefined {
  const port = /^\d+$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= MAX_PORT ? port : undefined;
}

/**
 * Takes the port and gives it back, so that what listens on it next can.
 * @throws Failure when somebody else has it.
 */
export async function requireFreePort(port: Port): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const server = createServer()
    .once("error", (error) => reject(portFailure(port, error)))
    .listen({ port: port.number, host: HOST }, () => server.close(() => resolve()));
  await promise;
}

/** What Node's error says when it cannot listen on the port, and the way out. */
export function portFailure({ number, option, variable }: Port, error: NodeJS.ErrnoException): Failure {
  const other = number === 8790 ? 8791 : 8790;
  const wayOut = `Choose another one: npm start -- ${option} ${other}, or ${variable}=${other} npm start.`;
  if (error.code === "EADDRINUSE") return new Failure(`Port ${number} is taken. ${wayOut}`, { cause: error });
  if (error.code === "EACCES") return new Failure(`Port ${number} needs more rights. ${wayOut}`, { cause: error });
  return new Failure(`Port ${number} cannot be used (${error.message}). ${wayOut}`, { cause: error });
}
