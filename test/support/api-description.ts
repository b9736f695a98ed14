import { Validator } from "@cfworker/json-schema";
import committed from "../../docs/openapi.json";
import type {
  ApiResponse,
  Header,
  OpenApiDocument,
  Operation,
  Reference,
  Schema,
} from "../../tools/openapi/openapi.ts";

/** The committed document, with its schemas where a JSON Schema can refer to them. */
const document = JSON.parse(
  JSON.stringify(committed).replaceAll("#/components/schemas/", "#/$defs/"),
) as OpenApiDocument; // the type of its generator, with which another test compares it

/** What browsers, caches and Cloudflare act on: the document says that it does not list them. */
const UNLISTED_HEADER =
  /^(access-control-.*|cross-origin-.*|vary|(mf-)?content-.*|cache-control|pragma|strict-transport-security|referrer-policy|x-content-type-options|cf-.*|transfer-encoding)$/;

const validators = new Map<Schema, Validator>();

/** A request, by its method and its path without the query. */
type SentRequest = { readonly method: string; readonly path: string };

/** A response as it was received, whatever runtime received it. */
type ReceivedResponse = {
  readonly status: number;
  readonly headers: Pick<Headers, "get" | "keys">;
  readonly clone: () => { readonly text: () => Promise<string> };
};

/**
 * Compares a response of the Worker with docs/openapi.json.
 * @returns a sentence for each part that is not documented: the status, the media type, a header, a property of the body.
 */
export async function undocumentedParts(
  { method, path }: SentRequest,
  response: ReceivedResponse,
): Promise<readonly string[]> {
  const documented = documentedResponse(method, path, response.status);
  if (documented === undefined) return [`The status ${response.status} is not documented.`];
  const mediaType = response.headers.get("Content-Type")?.split(";")[0];
  const hasBody = method !== "HEAD";
  return [
    ...headerIssues(response.headers, documented),
    ...(hasBody ? bodyIssues(mediaType, await response.clone().text(), documented) : []),
  ];
}

/** Every documented outcome of some operations: method, path, status and, for an error, its code. */
export function documentedOutcomes(includes: (operation: Operation) => boolean): readonly string[] {
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
  );
  return operations
    .filter(({ operation }) => includes(operation))
    .flatMap(({ name, operation }) =>
      Object.entries(operation.responses).flatMap(([status, response]) => {
        const codes = errorCodes(resolve(response));
        return codes.length === 0 ? [`${name} ${status}`] : codes.map((code) => `${name} ${status} ${code}`);
      }),
    );
}

/** Tells whether Cloudflare serves an operation without the Worker. */
export function isStaticFile({ tags }: Operation): boolean {
  return tags.includes("files");
}

/** The response that is documented for a request; HEAD works like GET, and OPTIONS is the same at every path. */
function documentedResponse(method: string, path: string, status: number): ApiResponse | undefined {
  const item = document.paths[path];
  const operation =
    method === "OPTIONS" ? document.paths["/"]?.["options"] : item?.[method === "HEAD" ? "get" : method.toLowerCase()];
  if (operation !== undefined) {
    const response = operation.responses[status];
    return response && resolve(response);
  }
  const { AccessDenied, MethodNotAllowed, NotFound } = document.components.responses;
  const elsewhere = { 403: AccessDenied, ...(item ? { 405: MethodNotAllowed } : { 404: NotFound }) };
  return Object.entries(elsewhere).find(([key]) => key === String(status))?.[1];
}

function resolve(response: ApiResponse | Reference): ApiResponse {
  if (!("$ref" in response)) return response;
  const resolved = document.components.responses[nameIn(response)];
  if (resolved === undefined) throw new Error(`${response.$ref} is not in the document.`);
  return resolved;
}

function nameIn({ $ref }: Reference): string {
  return $ref.slice($ref.lastIndexOf("/") + 1);
}

function headerIssues(headers: ReceivedResponse["headers"], { headers: refs = {} }: ApiResponse): readonly string[] {
  const documented = new Map(
    Object.entries(refs).map(([name, ref]) => [name.toLowerCase(), document.components.headers[nameIn(ref)]]),
  );
  return [
    ...[...headers.keys()]
      .filter((name) => !UNLISTED_HEADER.test(name) && !documented.has(name))
      .map((name) => `The header ${name} is not documented.`),
    ...[...documented].flatMap(([name, header]) => (header ? headerIssue(name, headers.get(name), header) : [])),
  ];
}

function headerIssue(name: string, text: string | null, { required = false, schema }: Header): readonly string[] {
  if (text === null) return required ? [`The header ${name} is missing.`] : [];
  const value = schema["type"] === "integer" ? Number(text) : text;
  return schemaIssues(value, schema).map((issue) => `The header ${name}: ${issue}`);
}

function bodyIssues(mediaType: string | undefined, text: string, { content = {} }: ApiResponse): readonly string[] {
  if (text === "" && Object.keys(content).length === 0) return [];
  const documented = mediaType === undefined ? undefined : content[mediaType];
  if (documented === undefined) return [`The media type ${mediaType} is not documented.`];
  return schemaIssues(mediaType === "application/json" ? JSON.parse(text) : text, documented.schema);
}

function schemaIssues(value: unknown, schema: Schema): readonly string[] {
  const validator =
    validators.get(schema) ?? new Validator({ allOf: [schema], $defs: document.components.schemas }, "2020-12");
  validators.set(schema, validator);
  return validator.validate(value).errors.map(({ instanceLocation, error }) => `${instanceLocation} ${error}`);
}

/** The `error` of each of the schemas of a response. */
function errorCodes({ content = {} }: ApiResponse): readonly string[] {
  const schema = content["application/json"]?.schema ?? {};
  const refs = (schema["oneOf"] ?? [schema]) as readonly Partial<Reference>[]; // as errors are generated
  return refs.flatMap(({ $ref }) => {
    const { properties } = ($ref === undefined ? undefined : document.components.schemas[nameIn({ $ref })]) ?? {};
    const { error } = (properties ?? {}) as Readonly<Record<string, Schema>>; // as every object schema has it
    return error === undefined ? [] : [String(error["const"])];
  });
}
