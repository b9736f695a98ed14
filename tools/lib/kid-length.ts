/** The characters of Coze's fingerprints: 32 bytes in base64url. */
export const KID_LENGTH = 43;
