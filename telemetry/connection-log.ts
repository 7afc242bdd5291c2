/**
 * The connection log's port: what each session of a person's came to, for operators and what counts log-ins
 * (docs/logs.md). Of every connection exactly one O, when its log-in phase is over, and exactly one C or X at its end;
 * before the O an A for each failed log-in. Never a secret: names, mechanisms, numbers and closed sets of words.
 */

/** The two ends of a connection. */
export type Ends = {
  /** The session's id, the same on the node that owns the mailbox. */
  readonly session: string;
  /** The client's IP address and port; '' and 0 on a unix socket. */
  readonly address: string;
  readonly port: number;
  /** The server's; on a unix socket its path, and 0. */
  readonly local: { readonly address: string; readonly port: number };
};

export type Attempt = {
  /** As the client gave it, or as much of it as is kept: it may name nobody. */
  readonly name: string;
  /** `PASS`, `APOP`, `LOGIN`, or the SASL mechanism's name. */
  readonly mechanism: string;
  /** Why it failed, which the client is not told. */
  readonly reason: string;
};

export type Counts = { readonly octetsIn: number; readonly octetsOut: number };

export type ConnectionLog = {
  /** @param protocol  by its name as listeners have it (`pop3`, `poppwd`); one that is not logged gets a record that says nothing */
  begin(ends: Ends, protocol: string): ConnectionRecord;
};

/** One connection's entries. What would break their order is not written: nothing after `ended`, no attempt after `opened`. */
export type ConnectionRecord = {
  failed(attempt: Attempt): void;
  /** The log-in phase is over, by a log-in. Without one `ended` says so. */
  opened(login?: { readonly account: string; readonly mechanism: string }): void;
  /** @param ending  one word: how, in the terms of whoever ended it */
  ended(how: 'closed' | 'aborted', ending: string, counts: Counts): void;
};

const silentRecord: ConnectionRecord = { failed() {}, opened() {}, ended() {} };

/** Says nothing: where the connection log is off, and for tests. */
export const silentConnectionLog: ConnectionLog = { begin: () => silentRecord };
