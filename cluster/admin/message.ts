/**
 * An operator's message: a JWS in compact form (RFC 7515 §7.1) whose claims say what is to be done, by which cluster and
 * node, and until when. The codec, and what makes a message good; whether it was seen before is replay-guard.ts's.
 *
 * One algorithm, one type, one audience, pinned here: what the text itself says of them is only compared (RFC 8725 §3.1,
 * §3.9, §3.11). Nothing that is not signed is believed, and nothing that is read here throws.
 */
import { createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto';
import { CompactSign, compactVerify, decodeProtectedHeader, errors } from 'jose';
import { accept, type Result, refuse } from '../../kernel/result.ts';
import { isOctets32, KEY_NAME, type KeySet, type SigningKey } from './keys.ts';

/** A verb, a word of lower-case letters and hyphens, with all that it needs; what they mean is the node's to judge. */
export type Order = { readonly verb: string; readonly arguments: Readonly<Record<string, unknown>> };

/** To whom the answer is sealed: the public half of a key made for this message alone (RFC 8037 §3.2, X25519). */
export type AnswerTo = { readonly kty: 'OKP'; readonly crv: 'X25519'; readonly x: string };

export type AdminMessage = Order & {
  /** Unique to this message, for ever. */
  readonly id: string;
  /** `audienceOf` the cluster that it is for. */
  readonly audience: string;
  /** One node; absent: every node that hears it. */
  readonly to?: string;
  readonly answerTo: AnswerTo;
  /** Milliseconds of wall time. */
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
};

/** Nothing of these is believed, and no one may be told why. */
export type Unproved = 'too-large' | 'malformed' | 'algorithm' | 'unknown-key' | 'signature';
/** Signed by an operator that is known, and yet not to be done. */
export type Unfit = 'claims' | 'other-cluster' | 'other-node' | 'lives-too-long' | 'not-yet' | 'expired';

export type MessageRefusal =
  /** `claimed`: the name of the key that the message says it was signed by. */
  | { readonly reason: Unproved; readonly claimed?: string }
  | { readonly reason: Unfit; readonly operator: string; readonly message?: AdminMessage };

export type Proved = { readonly operator: string; readonly message: AdminMessage };

export const MAX_MESSAGE_OCTETS = 16 * 1024;
/** From its issue to its expiry no message may live longer: so long a node remembers it. */
export const MAX_LIFETIME_MS = 60_000;
/** By so much an operator's clock may differ from a node's. */
export const CLOCK_SKEW_MS = 5_000;

const ALGORITHM = 'EdDSA'; // RFC 8037 §3.1
const TYPE = 'homing-admin+jwt';
const ID = /^[A-Za-z0-9_-]{16,64}$/;
const VERB = /^[a-z][a-z-]{0,31}$/;
const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;

/**
 * The one cluster that a message is meant for: its name alone would not do, since another may be called the same.
 * @param answersKid  of the key by which its nodes sign answers, so of its cluster key
 */
export const audienceOf = (cluster: string, answersKid: string): string => `homing ${cluster} ${answersKid}`;

export async function signMessage({ kid, key }: SigningKey, message: AdminMessage): Promise<Uint8Array> {
  const claims = {
    aud: message.audience,
    jti: message.id,
    iat: message.issuedAtMs / 1000, // NumericDate, in seconds, fractions allowed: RFC 7519 §2
    exp: message.expiresAtMs / 1000,
    ...(message.to !== undefined && { to: message.to }),
    verb: message.verb,
    arguments: message.arguments,
    answer_to: message.answerTo,
  };
  const signing = new CompactSign(Buffer.from(JSON.stringify(claims)));
  return Buffer.from(await signing.setProtectedHeader({ alg: ALGORITHM, kid, typ: TYPE }).sign(key), 'latin1');
}

export type OpenOptions = {
  readonly keys: KeySet;
  readonly audience: string;
  readonly me: string;
  /** Wall time. */
  readonly nowMs: number;
};

/** Is it from an operator that is known, for this node, now? Never throws on its input. */
export async function openMessage(octets: Uint8Array, options: OpenOptions): Promise<Result<Proved, MessageRefusal>> {
  const shape = shapeOf(octets);
  return shape.ok ? openShape(shape.value, options) : shape;
}

/** The same for what was looked at already. */
export async function openShape(
  shape: Shape,
  { keys, audience, me, nowMs }: OpenOptions,
): Promise<Result<Proved, MessageRefusal>> {
  const proved = await prove(shape, keys);
  if (!proved.ok) return proved;
  const { operator, claims } = proved.value;
  const message = messageOf(claims);
  if (message === undefined) return refuse({ reason: 'claims', operator });
  const unfit = (reason: Unfit) => refuse({ reason, operator, message });
  if (message.audience !== audience) return unfit('other-cluster');
  if (message.to !== undefined && message.to !== me) return unfit('other-node');
  const lifetimeMs = message.expiresAtMs - message.issuedAtMs;
  if (lifetimeMs <= 0 || lifetimeMs > MAX_LIFETIME_MS) return unfit('lives-too-long');
  if (message.issuedAtMs > nowMs + CLOCK_SKEW_MS) return unfit('not-yet');
  if (message.expiresAtMs + CLOCK_SKEW_MS <= nowMs) return unfit('expired');
  return accept({ operator, message });
}

export type UnprovedRefusal = Extract<MessageRefusal, { readonly reason: Unproved }>;

/** A message by its looks: nothing of it is believed. */
export type Shape = { readonly text: string; readonly claimed: string };

/** What can be said of a message without any key, for little: whose it says it is, or why it is none. Never throws. */
export function shapeOf(octets: Uint8Array): Result<Shape, UnprovedRefusal> {
  if (octets.length > MAX_MESSAGE_OCTETS) return refuse({ reason: 'too-large' });
  const text = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('latin1');
  const header = COMPACT.test(text) ? headerOf(text) : undefined;
  if (header === undefined) return refuse({ reason: 'malformed' });
  const { alg, kid, typ, ...others } = header;
  const claimed = typeof kid === 'string' && KEY_NAME.test(kid) ? kid : undefined;
  const unproved = (reason: Unproved) => refuse({ reason, ...(claimed !== undefined && { claimed }) });
  if (alg !== ALGORITHM) return unproved('algorithm'); // `none`, or a secret that is no secret: RFC 8725 §2.1
  if (typ !== TYPE || Object.keys(others).length > 0 || claimed === undefined) return unproved('malformed');
  return accept({ text, claimed });
}

async function prove(
  { text, claimed }: Shape,
  keys: KeySet,
): Promise<Result<{ readonly operator: string; readonly claims: unknown }, UnprovedRefusal>> {
  const unproved = (reason: Unproved) => refuse({ reason, claimed });
  const key = keys.get(claimed);
  if (key === undefined) return unproved('unknown-key');
  try {
    const { payload } = await compactVerify(text, key, { algorithms: [ALGORITHM] });
    return accept({ operator: claimed, claims: parsed(payload) });
  } catch (error) {
    if (error instanceof errors.JOSEError) return unproved('signature');
    throw error;
  }
}

function headerOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return decodeProtectedHeader(text);
  } catch {
    return undefined; // not base64url of a JSON object: TypeError, as jose's documentation says
  }
}

function parsed(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    return undefined;
  }
}

/** Signed by an operator, but perhaps by another version of us: the shape is checked all the same. */
function messageOf(claims: unknown): AdminMessage | undefined {
  if (!isRecord(claims)) return undefined;
  const { aud, jti, iat, exp, to, verb, arguments: given, answer_to: answerTo } = claims;
  if (typeof aud !== 'string' || typeof jti !== 'string' || !ID.test(jti)) return undefined;
  if (!isTime(iat) || !isTime(exp) || (to !== undefined && typeof to !== 'string')) return undefined;
  if (typeof verb !== 'string' || !VERB.test(verb) || !isRecord(given) || !isAnswerTo(answerTo)) return undefined;
  return {
    audience: aud,
    id: jti,
    issuedAtMs: Math.round(iat * 1000),
    expiresAtMs: Math.round(exp * 1000),
    ...(to !== undefined && { to }),
    verb,
    arguments: given,
    answerTo: { kty: 'OKP', crv: 'X25519', x: answerTo.x },
  };
}

const isTime = (claim: unknown): claim is number =>
  typeof claim === 'number' && Number.isFinite(claim) && claim >= 0 && claim < Number.MAX_SAFE_INTEGER / 1000;

const isRecord = (claim: unknown): claim is Readonly<Record<string, unknown>> =>
  typeof claim === 'object' && claim !== null && !Array.isArray(claim);

const isAnswerTo = (claim: unknown): claim is AnswerTo =>
  isRecord(claim) &&
  claim['kty'] === 'OKP' &&
  claim['crv'] === 'X25519' &&
  isOctets32(claim['x']) &&
  !isOfLowOrder(claim['x']);

/** PKCS #8 around 32 octets of an X25519 key (RFC 8410 §7), and any such octets. */
const PKCS8_X25519 = Buffer.from(`302e020100300506032b656e04220420${'01'.repeat(32)}`, 'hex');

/**
 * With a point of low order every key agrees on zeros (RFC 7748 §6.1): nothing can be sealed to it. Found out before the
 * order is done, since it could not be answered.
 */
function isOfLowOrder(x: string): boolean {
  try {
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' });
    const privateKey = createPrivateKey({ key: PKCS8_X25519, format: 'der', type: 'pkcs8' });
    return diffieHellman({ privateKey, publicKey }).every((octet) => octet === 0);
  } catch {
    return true; // where the library looks itself, it throws
  }
}
