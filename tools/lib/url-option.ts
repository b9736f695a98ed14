import { InvalidArgumentError } from "commander";

/**
 * Parses an option that is the URL of a service.
 * @throws InvalidArgumentError for anything but a complete URL of http or https.
 */
export function parseUrlOption(text: string): URL {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return new URL(text);
  throw new InvalidArgumentError("It must be a complete URL such as https://token.example.com");
}

/**
 * Parses an option that is the origin of web pages, with or without a slash after it.
 * @throws InvalidArgumentError for anything but an origin of http or https.
 */
export function parseOriginOption(text: string): string {
  const origin = URL.parse(text)?.origin;
  if (/^https?:/.test(origin ?? "") && origin === text.replace(/\/$/, "")) return origin;
  throw new InvalidArgumentError("It must be an origin such as https://app.example.com");
}
