/** What is wrong with an input: where, and a sentence that completes "PATH …". It never quotes the value. */
export type Issue = {
  /** Such as `CALLERS[1].issuer`; "" for the whole input. */
  readonly path: string;
  readonly message: string;
};

/** What a parser returns: the value, or everything that is wrong with the input. */
export type Parsed<Value> = { readonly value: Value } | Invalid;
export type Invalid = { readonly issues: readonly Issue[] };

/** The result of a parser that finds one issue, by default with its whole input. */
export function invalid(message: string, path = ""): Invalid {
  return { issues: [{ path, message }] };
}

/** The issues of a parser as its caller sees them, whose input holds that of the parser at `parent`. */
export function issuesAt(parent: string, { issues }: Invalid): Issue[] {
  return issues.map(({ path, message }) => ({ path: joinPath(parent, path), message }));
}

function joinPath(parent: string, path: string): string {
  return path === "" || path.startsWith("[") ? parent + path : `${parent}.${path}`;
}
