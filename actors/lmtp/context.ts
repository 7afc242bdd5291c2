/**
 * What an LMTP session knows: its constants, the transaction that it gathers (RFC 5321 §4.1.1) and the chunks of its message
 * (RFC 3030 §2), and what follows from them. Pure but for the handle on the chunks; when what changes is machine.ts's to say.
 */
import type { Result } from '../../kernel/result.ts';
import type { Path } from '../../protocols/lmtp/command.ts';
import { printPath } from '../../protocols/lmtp/path.ts';
import type { Reply } from '../../protocols/lmtp/reply.ts';
import type { RecipientRefusal } from '../authenticator/requests.ts';
import type { Caller, Content } from '../session.ts';
import type { Chunks } from './chunks.ts';
import * as replies from './replies.ts';
import type { ContentRefusal, Rules } from './screen.ts';
import type { Accepted, Delivery, Outcome, SessionServices } from './services.ts';

/** What all sessions of a listener have in common. */
export type Constants = Rules & {
  readonly hostName: string;
  readonly product: string;
  /** Most recipients of one message (RFC 5321 §4.5.3.1.8: at least 100). */
  readonly maxRecipients: number;
  /** What a recipient without room is told. */
  readonly overQuota: replies.OverQuota;
};

export type Input = {
  readonly constants: Constants;
  readonly services: SessionServices;
  /** As the session begins; `active` once STARTTLS is done. */
  readonly tls: Caller['tls'];
};

/** The buffers of RFC 5321 §4.1.1: what one mail transaction has gathered. */
type Transaction = {
  readonly reversePath: Path | null;
  readonly smtputf8: boolean;
  readonly recipients: readonly Accepted[];
  /** What the recipients take of a request to an owner, in octets. */
  readonly gathered: number;
};
/** What the chunks of a message have come to (RFC 3030 §2). */
type Chunking = {
  /** There from the first chunk on: an idle session is not to pay for it. */
  readonly chunks: Chunks | undefined;
  /** The chunk under way, or the one before. */
  readonly sizeOctets: number;
  readonly last: boolean;
  /** Its command has no reply yet. */
  readonly isDue: boolean;
  /** For each recipient, once it is known that the message will not be delivered. */
  readonly answers: readonly Reply[];
};
export type Context = Input &
  Transaction &
  Chunking & {
    readonly clientDomain: string;
    /** To be said when the octets behind a BDAT that was not taken have come, before they are dropped. */
    readonly owed: readonly Reply[];
  };

export type Resolution = { readonly services: SessionServices; readonly forwardPath: Path };
export type DeliveryOf<T> = Omit<Delivery, 'content'> & {
  readonly services: SessionServices;
  readonly constants: Constants;
  readonly content: T;
};
export type Chunk = { readonly chunks: Chunks; readonly content: Content; readonly last: boolean };
export type Resolved = Result<Accepted, RecipientRefusal>;
/** Refused as a whole for what it holds, or an outcome for each recipient. */
export type Delivered = Result<readonly Outcome[], ContentRefusal>;

/**
 * Most octets of one transaction's trace lines and the like, for they go to an owner in one request: with a part of the
 * content that stays below what the bus carries (cluster/bus/bus.ts, MAX_MESSAGE).
 */
export const MAX_GATHERED_OCTETS = 600_000;
/** What a recipient takes beside its paths and the two host names: the rest of its trace lines, identities, quotas. */
const RECIPIENT_OCTETS = 400;

export const none: Transaction = { reversePath: null, smtputf8: false, recipients: [], gathered: 0 };
export const noChunks: Chunking = {
  chunks: undefined,
  sizeOctets: 0,
  last: false,
  isDue: false,
  answers: [],
};
export const deliveryOf = <T>(context: Context, content: T): DeliveryOf<T> => {
  const { services, constants, clientDomain, reversePath, smtputf8, recipients, tls } = context;
  return { services, constants, clientDomain, reversePath, smtputf8, recipients, secured: tls === 'active', content };
};

/** Of one recipient. The reverse-path, like the names, stands in each one's trace. */
export const octetsOf = ({ reversePath, clientDomain, constants }: Context, forwardPath: Path): number =>
  Buffer.byteLength(printPath(reversePath)) +
  // In its trace, and once more as the mailbox that it names.
  (forwardPath.localPart.includes('+') ? 2 : 1) * Buffer.byteLength(printPath(forwardPath)) +
  clientDomain.length +
  constants.hostName.length +
  RECIPIENT_OCTETS;

/** For one more recipient (RFC 5321 §4.5.3.1.8). */
export const hasRoom = (context: Context, forwardPath: Path): boolean =>
  context.recipients.length < context.constants.maxRecipients &&
  context.gathered + octetsOf(context, forwardPath) <= MAX_GATHERED_OCTETS;

export const recipientReply = (resolved: Resolved): Reply =>
  resolved.ok ? replies.recipientOk : replies.notResolved(resolved.refusal);

export const forEach = ({ recipients }: Context, reply: Reply): readonly Reply[] => recipients.map(() => reply);

/** One for each recipient, either way. */
export const deliveryReplies = (context: Context, delivered: Delivered): readonly Reply[] =>
  delivered.ok
    ? replies.delivered(delivered.value, context.constants.overQuota)
    : forEach(context, replies.contentRefused(delivered.refusal));

/** Of a delivery that did not wait for the end of the message: whatever it says, the message is not delivered. */
export const failures = (context: Context, delivered: Delivered): readonly Reply[] =>
  deliveryReplies(context, delivered).map((reply) => (reply.code < 300 ? replies.fault : reply));
