import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { Failure } from "../lib/failure.ts";

/**
 * Reads an access token from a file, or from standard input for `-`: the token alone, or a JSON response that has it.
 * @throws Failure when the file cannot be read or has no token. The sentence quotes neither, because the name of a file
 * that is not there may be a token.
 */
export async function readToken(file: string): Promise<string> {
  const content = await (file === "-" ? text(process.stdin) : readFile(file, "utf8").catch(() => undefined));
  if (content === undefined) {
    throw new Failure("There is no such file. The token has to be in a file, or come from standard input for -.");
  }
  const token = tokenIn(content.trim());
  if (/^\S+$/.test(token)) return token;
  throw new Failure("It must hold a token alone, or a JSON response with an access_token.");
}

function tokenIn(content: string): string {
  try {
    const { access_token: token } = JSON.parse(content);
    return typeof token === "string" ? token : "";
  } catch {
    return content;
  }
}
