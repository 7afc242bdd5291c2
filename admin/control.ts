/**
 * What the command line and a node say to each other. A verb does the same whether a running server answers it over
 * the control socket, or the command line itself, having opened the databases that no server holds.
 */
export type ControlRequest = { readonly verb: string; readonly arguments?: Readonly<Record<string, unknown>> };

/** Errors are whole sentences for the operator, naming what and where. */
export type ControlAnswer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly errors: readonly string[] };

export type Verb = (given: Readonly<Record<string, unknown>>) => Promise<ControlAnswer>;
export type Verbs = Readonly<Record<string, Verb>>;

export const done = (value: unknown = null): ControlAnswer => ({ ok: true, value });
export const cannot = (...errors: readonly string[]): ControlAnswer => ({ ok: false, errors });
