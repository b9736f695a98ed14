import { headerRefs } from "./headers.ts";
import type { Operation, PathItem, Schema } from "./openapi.ts";

/** The static files, which Cloudflare serves without the Worker. */
export const FILE_PATHS: Readonly<Record<string, PathItem>> = {
  "/client.js": {
    get: getFile("getClient", "text/javascript", "The client module that gets and renews tokens"),
  },
  "/client.d.ts": { get: getFile("getClientTypes", "text/plain", "The types of the client module") },
  "/openapi.json": {
    get: getFile("getDescription", "application/json", "This description", { type: "object" }),
  },
};

function getFile(
  operationId: string,
  mediaType: string,
  summary: string,
  schema: Schema = { type: "string" },
): Operation {
  return {
    operationId,
    tags: ["files"],
    summary,
    description: "A static file that every page can load.",
    security: [{}],
    parameters: [
      {
        name: "If-None-Match",
        in: "header",
        description: "The `ETag` of the copy that the client has.",
        schema: { type: "string" },
      },
    ],
    responses: {
      "200": { description: "The file.", headers: headerRefs("ETag", "Allow"), content: { [mediaType]: { schema } } },
      "304": { description: "The client's copy is up to date.", headers: headerRefs("ETag", "Allow") },
    },
  };
}
