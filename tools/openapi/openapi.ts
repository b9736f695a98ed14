/** An OpenAPI 3.1 document, as far as the description of this service needs it. */
export type OpenApiDocument = {
  readonly openapi: string;
  readonly info: Schema;
  readonly servers: readonly Schema[];
  readonly tags: readonly Schema[];
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly components: Components;
};

/** The operations of a path, by HTTP method in lower case. */
export type PathItem = Readonly<Record<string, Operation>>;

/** What operations refer to, by name. */
export type Components = {
  readonly schemas: Readonly<Record<string, Schema>>;
  readonly headers: Readonly<Record<string, Header>>;
  readonly responses: Readonly<Record<string, ApiResponse>>;
  readonly securitySchemes: Readonly<Record<string, Schema>>;
};

/** One method of a path. */
export type Operation = {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  /** What authenticates the request; `{}` for nothing. */
  readonly security: readonly Schema[];
  readonly parameters?: readonly Schema[];
  readonly requestBody?: Schema;
  readonly responses: Readonly<Record<string, ApiResponse | Reference>>;
};

/** What an operation responds with one status. */
export type ApiResponse = {
  readonly description: string;
  readonly headers?: Readonly<Record<string, Reference>>;
  readonly content?: Readonly<Record<string, { readonly schema: Schema; readonly examples?: Schema }>>;
};

/** A response header. */
export type Header = { readonly description: string; readonly required?: boolean; readonly schema: Schema };

/** A reference to a component, by its JSON Pointer. */
export type Reference = { readonly $ref: string };

/** A JSON Schema (draft 2020-12), or an object of OpenAPI that needs no type of its own here. */
export type Schema = { readonly [keyword: string]: unknown };

/** Refers to a component of the document. */
export function refTo(kind: keyof Components, name: string): Reference {
  return { $ref: `#/components/${kind}/${name}` };
}
