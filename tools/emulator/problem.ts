import * as z from "zod";

/** Says in one line what does not fit, each fault led by the member it concerns: `keys[0].kid: …; colour: …`. */
export function problemOf(error: z.core.$ZodError): string {
  return error.issues.flatMap(describeIssue).join("; ");
}

function describeIssue(issue: z.core.$ZodIssue): string[] {
  const member = memberAt(issue.path);
  if (issue.code === "invalid_key") return issue.issues.map(({ message }) => `${member}: ${message}`);
  if (issue.code !== "unrecognized_keys") return [`${member}: ${issue.message}`];
  return issue.keys.map((key) => `${memberAt([...issue.path, key])}: is not a known member`);
}

function memberAt(path: PropertyKey[]): string {
  return path.length === 0 ? "body" : z.core.toDotPath(path);
}
