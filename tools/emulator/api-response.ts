import type { Context } from "hono";
import type { EmulatorEnv } from "./log-id.ts";

/** The response of Coze's APIs to a request that worked. */
export function success<Env extends EmulatorEnv>(c: Context<Env>, data: unknown) {
  return c.json({ code: 0, msg: "", data, detail: { logid: c.get("logId") } });
}

/** The response of Coze's APIs to a request that did not work. */
export function failure<Env extends EmulatorEnv>(c: Context<Env>, status: 400 | 401 | 404, code: number, msg: string) {
  return c.json({ code, msg, detail: { logid: c.get("logId") } }, status);
}

/** The response to a path, a chat or a conversation that does not exist. */
export function resourceNotFound<Env extends EmulatorEnv>(c: Context<Env>) {
  return failure(c, 404, 4200, "resource not found");
}
