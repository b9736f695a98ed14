import { TokenError } from "../core/token-error.ts";

/** The parameters of an OAuth request, without empty ones. */
export type Parameters = ReadonlyMap<string, string>;

/**
 * Returns the value of a parameter.
 * @throws TokenError `invalid_request` if it is missing.
 */
export function requiredParameter(parameters: Parameters, name: string): string {
  const value = parameters.get(name);
  if (value === undefined) throw invalidRequest(`The parameter ${name} is missing`);
  return value;
}

/** Creates the `invalid_request` for a sentence without its full stop. */
export function invalidRequest(sentence: string): TokenError {
  return new TokenError("invalid_request", `${sentence}.`);
}
