import { Command, InvalidArgumentError } from "commander";
import { stopRequest } from "../lib/stop-request.ts";
import { startEmulator } from "./server.ts";

const DEFAULT_PORT = 4_000;
const MAX_PORT = 65_535;

const { port, host } = new Command("npm run emulator --")
  .description(
    "Runs an emulator of the Coze token endpoint on this machine. It needs no account and calls no other machine.",
  )
  .option("--port <number>", "port to listen on; 0 takes a free one", parsePort, DEFAULT_PORT)
  .option("--host <address>", "address to listen on; the control API is for this machine only", "127.0.0.1")
  .parse()
  .opts<{ port: number; host: string }>();

const emulator = await startEmulator({ port, host }).catch((error: NodeJS.ErrnoException) => {
  process.exitCode = 1;
  console.error(
    error.code === "EADDRINUSE"
      ? `Port ${port} of ${host} is already in use; choose another one with --port.`
      : `Cannot listen on ${host}, port ${port}: ${error.message}.`,
  );
});

if (emulator !== undefined) {
  console.log(`The Coze emulator works like the Coze token endpoint, on ${emulator.url}. Ctrl-C ends it.`);
  console.log(`Try it: curl -X POST ${emulator.url}/api/permission/oauth2/token`);

  stopRequest().then(() => emulator.close());
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= MAX_PORT) return port;
  throw new InvalidArgumentError(`It must be a whole number from 0 to ${MAX_PORT}.`);
}
