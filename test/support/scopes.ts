import type { CozeScope } from "../../src/core/grant/coze-scope.ts";

/** A Coze scope that names permissions of an account. */
export function permissions(...names: string[]): CozeScope {
  return { account_permission: { permission_list: names } };
}

/** A Coze scope that only constrains which bots may be used. */
export function bots(...ids: string[]): CozeScope {
  return { attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ids } } };
}
