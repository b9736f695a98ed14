import { crc32 } from "node:zlib";

/** Eight bytes that every PNG begins with; the chunk IHDR follows, which is always 25 bytes long (PNG §5.2, §11.2.1). */
const HEADER_BYTES = 8 + 25;

/** A chunk is its length, its type, its data and a checksum (PNG §5.3). */
const LENGTH_BYTES = 4;
const TYPE_BYTES = 4;
const CHECKSUM_BYTES = 4;

/** Puts a text into a picture, under a keyword (PNG §11.3.3.2). Both are ASCII. */
export function withPngText(png: Buffer, keyword: string, text: string): Buffer {
  const body = Buffer.from(`tEXt${keyword}\0${text}`, "latin1");
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(body.length - TYPE_BYTES);
  const checksum = Buffer.alloc(CHECKSUM_BYTES);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([png.subarray(0, HEADER_BYTES), length, body, checksum, png.subarray(HEADER_BYTES)]);
}

/** Reads the text that `withPngText` has put into a picture; `undefined` if there is none. */
export function readPngText(png: Buffer, keyword: string): string | undefined {
  const length = png.readUInt32BE(HEADER_BYTES);
  const start = HEADER_BYTES + LENGTH_BYTES;
  const [name, text] = png
    .subarray(start, start + TYPE_BYTES + length)
    .toString("latin1")
    .split("\0");
  return name === `tEXt${keyword}` ? text : undefined;
}
