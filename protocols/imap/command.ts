/**
 * IMAP commands, decoded: names are the RFCs' keywords, arguments are typed. RFC 9051 §6 and RFC 3501 §6 with the extensions named
 * at each. Types only. What is allowed in which state, and what a mailbox's name means (`mailboxNameFrom` in mailbox-name.ts),
 * is not known here.
 */
import type { DateTime } from './date-time.ts';
import type { FetchItem } from './fetch-item.ts';
import type { SearchKey } from './search-key.ts';
import type { SequenceSet } from './sequence-set.ts';

/** What a session hears of its client. Upper case: what the client said; lower case: what the decoder made of it. */
export type Command =
  | TaggedCommand
  | AppendPart
  /**
   * A literal within the limits waits for a continuation request (RFC 9051 §4.3): answer `+ `, and the decoder goes on with
   * the same command. Not for APPEND's message, which is the machine's to want.
   */
  | { readonly type: 'continue' }
  /** Only where a SASL response was expected: one, decoded; it may be empty. */
  | { readonly type: 'response'; readonly response: Uint8Array }
  /** Only there, too: the client gives the exchange up with `*` (RFC 9051 §6.2.2). */
  | { readonly type: 'cancel' }
  /** Only where `idle-done` was expected (RFC 9051 §6.3.13). */
  | { readonly type: 'DONE' }
  /**
   * A line, or a line with its literals, that is none of the above. Without `tag`, which then could not be read, the answer is
   * an untagged BAD (RFC 9051 §7.1.3); where a SASL response or DONE was expected, the tag is that of the command that asked.
   */
  | { readonly type: 'malformed'; readonly tag?: string; readonly reason: Malformation };

/** A command line's first words and what belongs to them: one member for each keyword, so that `type` tells them apart. */
export type TaggedCommand = EachKeyword<Verb> & { readonly tag: string };
type EachKeyword<V> = V extends { readonly type: infer Type } ? OfKeyword<V, Type> : never;
type OfKeyword<V, Type> = Type extends string ? V & { readonly type: Type } : never;

/**
 * What follows the first message of an APPEND (RFC 3502). After each message's `body-end` comes one of these, or `malformed`
 * with the tag: the whole APPEND is refused then.
 */
export type AppendPart =
  | ({ readonly type: 'append-more' } & AppendMessage)
  /** The end of the line: all messages are here. */
  | { readonly type: 'append-end' };

/**
 * All of a message but its octets. `expect('body')` takes these off the wire, `sizeOctets` of them; who does not say that before the
 * next `next` has refused the message: the rest of the command is then read past, and nothing more is heard of it.
 */
export type AppendMessage = {
  readonly flags: readonly string[];
  /** Absent: the current date (RFC 9051 §6.3.12). */
  readonly date?: DateTime;
  /** Never above `Number.MAX_SAFE_INTEGER`. 0 is an error, for which the whole APPEND gets a NO (RFC 3502 §6.3.11). */
  readonly sizeOctets: number;
  /** The client waits for a continuation request, and sends nothing of the message when refused. */
  readonly sync: boolean;
  /** Sent as `~{n}`: it may hold NUL (RFC 3516 §4.4). */
  readonly binary: boolean;
};

/** A command without its tag. */
export type Verb =
  | { readonly type: BareKeyword }
  /** RFC 9051 §6.2.2, RFC 4959. The mechanism in upper case, known or not; the initial response decoded, absent when none was sent. */
  | { readonly type: 'AUTHENTICATE'; readonly mechanism: string; readonly initial?: Uint8Array }
  /** RFC 9051 §6.2.3. Either may hold CR, LF and other controls, but no NUL: both may come as literals. */
  | { readonly type: 'LOGIN'; readonly name: string; readonly secret: string }
  /** RFC 5161. In upper case, known or not. */
  | { readonly type: 'ENABLE'; readonly capabilities: readonly string[] }
  /** RFC 2971 §3.1; null for NIL. Fields in the order sent. */
  | { readonly type: 'ID'; readonly fields: readonly (readonly [field: string, value: string | null])[] | null }
  | { readonly type: 'COMPRESS'; readonly mechanism: string } // RFC 4978; in upper case
  | MailboxVerb
  | MessageVerb
  | RightsVerb;

/** Keywords that stand alone on their line. */
export type BareKeyword =
  | 'CAPABILITY'
  | 'NOOP'
  | 'LOGOUT'
  | 'STARTTLS'
  | 'NAMESPACE'
  | 'IDLE'
  | 'CHECK' // RFC 3501 §6.4.1
  | 'CLOSE'
  | 'UNSELECT';

/** Every `mailbox`, `reference` and pattern is as sent: UTF-8, and perhaps modified UTF-7. */
type MailboxVerb =
  /** RFC 9051 §6.3.2, §6.3.3; `condstore`, `qresync`: RFC 7162 §3.1.8, §3.2.5. */
  | {
      readonly type: 'SELECT' | 'EXAMINE';
      readonly mailbox: string;
      readonly condstore: boolean;
      readonly qresync?: Qresync;
    }
  /** `specialUse`: RFC 6154 §3; known attributes in their canonical case. */
  | { readonly type: 'CREATE'; readonly mailbox: string; readonly specialUse: readonly string[] }
  | { readonly type: 'DELETE' | 'SUBSCRIBE' | 'UNSUBSCRIBE'; readonly mailbox: string }
  | { readonly type: 'RENAME'; readonly from: string; readonly to: string }
  | ListVerb
  | { readonly type: 'LSUB'; readonly reference: string; readonly pattern: string } // RFC 3501 §6.3.9
  | { readonly type: 'STATUS'; readonly mailbox: string; readonly items: readonly StatusItem[] }
  | ({ readonly type: 'APPEND'; readonly mailbox: string } & AppendMessage);

/** RFC 7162 §3.2.5. */
export type Qresync = {
  readonly uidValidity: number;
  readonly modSeq: number;
  /** Without `*` and `$`; absent: all UIDs below the client's UIDNEXT. */
  readonly knownUids?: SequenceSet;
  /** RFC 7162 §3.2.5.2: sequence numbers and the UIDs they had, position by position; without `*` and `$`. */
  readonly match?: { readonly sequence: SequenceSet; readonly uids: SequenceSet };
};

/** RFC 9051 §6.3.9. */
type ListVerb = {
  readonly type: 'LIST';
  readonly reference: string;
  /** More than one, or one in parentheses: `isExtended` (RFC 5258 §6). */
  readonly patterns: readonly string[];
  readonly selection: readonly ListSelection[];
  readonly returns: readonly ListReturn[];
  /** RFC 5819: STATUS responses are wanted with these items. */
  readonly status?: readonly StatusItem[];
  /** Any of selection options, return options (both even when empty) or a parenthesised pattern was sent: RFC 5258 §3. */
  readonly isExtended: boolean;
};

/** RFC 5258 §3.1, RFC 6154 §2. RECURSIVEMATCH never without SUBSCRIBED or SPECIAL-USE. */
export type ListSelection = 'SUBSCRIBED' | 'REMOTE' | 'RECURSIVEMATCH' | 'SPECIAL-USE';
/** RFC 5258 §3.2, RFC 6154 §2, RFC 8440. */
export type ListReturn = 'SUBSCRIBED' | 'CHILDREN' | 'SPECIAL-USE' | 'MYRIGHTS';

/** RFC 9051 §6.3.11, RFC 3501 §6.3.10 (RECENT), RFC 7162 §3.1.7, RFC 8474 §4.3, RFC 7889 §5, RFC 9208 §4.1.4. */
export type StatusItem =
  | 'MESSAGES'
  | 'RECENT'
  | 'UIDNEXT'
  | 'UIDVALIDITY'
  | 'UNSEEN'
  | 'DELETED'
  | 'SIZE'
  | 'HIGHESTMODSEQ'
  | 'MAILBOXID'
  | 'APPENDLIMIT'
  | 'DELETED-STORAGE';

/** `uid`: sent as `UID FETCH` and the like; numbers in `set` are UIDs then, and so are those in the answer (RFC 9051 §6.4.9). */
type MessageVerb =
  /** Of this session's \Deleted messages all, or those in the set (RFC 9051 §6.4.3, §6.4.9). */
  | { readonly type: 'EXPUNGE'; readonly uid: false }
  | { readonly type: 'EXPUNGE'; readonly uid: true; readonly set: SequenceSet }
  | FetchVerb
  | StoreVerb
  | { readonly type: 'COPY' | 'MOVE'; readonly uid: boolean; readonly set: SequenceSet; readonly mailbox: string }
  | ({ readonly type: 'SEARCH'; readonly returns?: readonly SearchReturn[] } & Searching<string | undefined>)
  /** RFC 5256 §3; `returns`: RFC 5267 §3. */
  | ({
      readonly type: 'SORT';
      readonly criteria: readonly SortCriterion[];
      readonly returns?: readonly SearchReturn[];
    } & Searching<string>)
  /** RFC 5256 §3. */
  | ({ readonly type: 'THREAD'; readonly algorithm: ThreadAlgorithm } & Searching<string>);

/** RFC 9051 §6.4.5. */
type FetchVerb = {
  readonly type: 'FETCH';
  readonly uid: boolean;
  readonly set: SequenceSet;
  /** In the order sent, macros expanded; never empty. */
  readonly items: readonly FetchItem[];
  readonly changedSince?: number; // RFC 7162 §3.1.4.1
  /** RFC 7162 §3.2.6: only with `uid` and `changedSince`. */
  readonly vanished: boolean;
};

/** RFC 9051 §6.4.6. */
type StoreVerb = {
  readonly type: 'STORE';
  readonly uid: boolean;
  readonly set: SequenceSet;
  readonly mode: 'replace' | 'add' | 'remove';
  /** System flags in their canonical case, `\Recent` too; keywords as sent. */
  readonly flags: readonly string[];
  readonly silent: boolean;
  readonly unchangedSince?: number; // RFC 7162 §3.1.3
};

/** RFC 9051 §6.4.4. */
type Searching<Charset> = {
  readonly uid: boolean;
  readonly key: SearchKey;
  /** In upper case, known or not; absent: US-ASCII or UTF-8. The strings in `key` are octets in it. */
  readonly charset: Charset;
};

/** RFC 4731 §3.1, RFC 5182 §2. `RETURN ()` is ALL. Absent altogether: the answer is the old SEARCH or SORT response. */
export type SearchReturn = 'MIN' | 'MAX' | 'ALL' | 'COUNT' | 'SAVE';

/** RFC 5256 §3; DISPLAYFROM and DISPLAYTO: RFC 5957 §4. */
export type SortCriterion = { readonly by: SortKey; readonly reverse: boolean };
export type SortKey = 'ARRIVAL' | 'CC' | 'DATE' | 'FROM' | 'SIZE' | 'SUBJECT' | 'TO' | 'DISPLAYFROM' | 'DISPLAYTO';
export type ThreadAlgorithm = 'ORDEREDSUBJECT' | 'REFERENCES';

type RightsVerb =
  /** RFC 4314 §3.1. `rights`: letters and digits, in the order sent; `identifier` as sent, a leading `-` with it. */
  | {
      readonly type: 'SETACL';
      readonly mailbox: string;
      readonly identifier: string;
      readonly mode: 'replace' | 'add' | 'remove';
      readonly rights: string;
    }
  | { readonly type: 'DELETEACL' | 'LISTRIGHTS'; readonly mailbox: string; readonly identifier: string }
  | { readonly type: 'GETACL' | 'MYRIGHTS' | 'GETQUOTAROOT'; readonly mailbox: string }
  | { readonly type: 'GETQUOTA'; readonly root: string } // RFC 9208 §4.1.1
  /** RFC 9208 §4.1.3. Resources in upper case, known or not; a limit is in the resource's unit, at most `Number.MAX_SAFE_INTEGER`. */
  | {
      readonly type: 'SETQUOTA';
      readonly root: string;
      readonly limits: readonly { readonly resource: string; readonly limit: number }[];
    }
  /** RFC 5464 §4.2; `mailbox` '' is the server. Entries as sent. */
  | {
      readonly type: 'GETMETADATA';
      readonly mailbox: string;
      readonly entries: readonly string[];
      readonly maxSizeOctets?: number;
      readonly depth: 0 | 1 | 'infinity';
    }
  /** RFC 5464 §4.3; null removes the entry. */
  | {
      readonly type: 'SETMETADATA';
      readonly mailbox: string;
      readonly entries: readonly { readonly name: string; readonly value: Uint8Array | null }[];
    };

/** The command of one keyword, as `CommandOf<'FETCH'>`. */
export type CommandOf<Type extends Command['type']> = Extract<Command, { readonly type: Type }>;

/** What is wrong, in English, fit for the client: nothing that the client sent is in it. */
export type Malformation =
  | 'no tag'
  | 'no command'
  | 'unknown command'
  | 'line too long'
  | 'UID goes before COPY, EXPUNGE, FETCH, MOVE, SEARCH, SORT, STORE or THREAD'
  | 'command too long'
  | 'literals too large'
  | 'too many literals'
  | 'NUL, CR or LF in a command'
  | 'not base64'
  | 'DONE was expected'
  /** The first thing that did not fit, from left to right: `FETCH: a sequence set was expected`. */
  | `${string}: ${Flaw}`;

/** The second half of a reason: a closed list. */
export type Flaw =
  | 'an argument is missing'
  | 'too many arguments'
  | 'a space was expected'
  | 'an atom was expected'
  | 'a string was expected'
  | 'a string has no end'
  | 'only " and \\ are escaped in a string'
  | 'a literal stands where none may'
  | 'a parenthesis was expected'
  | 'a bracket was expected'
  | 'a number was expected'
  | 'a sequence set was expected'
  | 'a set of known numbers has no * and no $'
  | 'a flag was expected'
  | 'a date was expected'
  | 'a date and time was expected'
  | 'a message literal was expected'
  | 'a section was expected'
  | 'NUL in a string'
  | 'a control character in a name'
  | 'text must be UTF-8'
  | 'not base64'
  | 'an unknown data item'
  | 'an unknown search key'
  | 'an unknown option'
  | 'an option stands twice'
  | 'an option lacks another that it needs'
  | 'no such mechanism can be'
  | 'an unknown algorithm'
  | 'rights are lower-case letters and digits'
  | 'an entry name is not well formed'
  | 'nested too deep'
  | 'too many octets in a string'
  | 'too many arguments in a list';
