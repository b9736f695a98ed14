import { writeFile } from "node:fs/promises";
import { DOCUMENT_PATH } from "./document-path.ts";
import { documentText } from "./document-text.ts";

await writeFile(DOCUMENT_PATH, await documentText());
