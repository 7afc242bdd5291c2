/**
 * The server log's port: levels, a message and plain fields. Imported by all, imports nothing of the house.
 *
 * No secret ever reaches it: callers pass names, numbers and codes, never a command's arguments or a credential.
 */
export type Fields = Readonly<Record<string, unknown>>;

export type Log = {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /** A log whose every line carries these fields too. */
  with(fields: Fields): Log;
};

/** Says nothing: for tests and for callers that have no log. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => silentLog };
