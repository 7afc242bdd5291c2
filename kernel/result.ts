/**
 * Refusals are values, faults are thrown.
 *
 * A refusal is an expected "no" that the caller must answer for; a fault means something is broken and is thrown.
 * Every layer has a closed set of refusals; only a protocol's replies.ts turns them into words for a client.
 */
export type Result<T, R> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: R };

export const accept = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value });
export const refuse = <R>(refusal: R): { readonly ok: false; readonly refusal: R } => ({ ok: false, refusal });
