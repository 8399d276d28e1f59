/**
 * Users and their rights, of which there are none here: AUTH_DELETE_USER (3003), AUTH_GET_USER
 * (3004), AUTH_LIST_USER (3005), AUTH_DELETE_ACL (3008), AUTH_GET_ACL (3009), AUTH_LIST_ACL (3010).
 * Protocol 12.
 *
 * To ask for them is answered, so that pages which list them are empty instead of broken; to make
 * one is refused, since it would protect nothing.
 *
 * @module
 */
import { type Answer, done } from "../call.ts";
import { jsonBody } from "./json_body.ts";

/** Lists of users, and of what they may do. */
export function handleNobodyListed(): Answer {
  return { ...done, body: jsonBody([]) };
}

/** One user, or one's rights: tools take an answer without a body for nobody. */
export function handleNobodyFound(): Answer {
  return done;
}

/** Who is not there need not be deleted. */
export function handleNobodyDeleted(): Answer {
  return done;
}
