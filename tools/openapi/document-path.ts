import { join } from "node:path";

/**
 * The description of the API. It is committed, so that a change of the contract shows in a review, and stands in docs
 * because people read it there.
 */
export const DOCUMENT_PATH = join(import.meta.dirname, "../../docs/openapi.json");
