import { InvalidArgumentError } from "commander";

/**
 * Parses an option that is the URL of a service.
 * @throws InvalidArgumentError for anything but a complete URL of http or https.
 */
export function parseUrlOption(text: string): URL {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return new URL(text);
  throw new InvalidArgumentError("It must be a complete URL such as https://token.example.com");
}
