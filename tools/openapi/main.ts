import { writeFile } from "node:fs/promises";
import { documentText } from "./document-file.ts";
import { DOCUMENT_PATH } from "./document-path.ts";

await writeFile(DOCUMENT_PATH, await documentText());
