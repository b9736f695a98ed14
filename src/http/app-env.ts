/** What handlers and middleware find in the context of one request. */
export type AppEnv = { readonly Variables: { requestId: string } };
