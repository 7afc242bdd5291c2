/**
 * A node's answer to an operator: signed by a key that only nodes have (RFC 7515), then encrypted to the key that the message
 * named (RFC 7516, ECDH-ES with X25519: RFC 8037 §3.2), so that other users of NATS neither read account names nor answer
 * in a node's place. A long answer goes in parts.
 *
 * Whoever proved nothing hears `refused` and no more, signed over the hash of what he sent.
 */

import type { KeyObject } from 'node:crypto';
import { createHash } from 'node:crypto';
import {
  CompactEncrypt,
  CompactSign,
  type CryptoKey,
  compactDecrypt,
  compactVerify,
  errors,
  exportJWK,
  generateKeyPair,
  importJWK,
} from 'jose';
import type { SigningKey } from './keys.ts';
import type { AnswerTo } from './message.ts';

/** What came of an order: a value, or sentences for the operator. */
export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly errors: readonly string[] };

export type NodeAnswer = {
  readonly node: string;
  /** Every node that the answering one knows to be registered. */
  readonly members: readonly string[];
  readonly outcome: Outcome;
};

/** A part of an answer, or the word that the message was refused unproved. */
export type AnswerPart =
  | {
      readonly kind: 'part';
      readonly node: string;
      readonly part: number;
      readonly parts: number;
      readonly text: string;
    }
  | { readonly kind: 'refused'; readonly node: string };

const ALGORITHM = 'EdDSA';
const TYPE = 'homing-admin-answer+jwt';
const ENCRYPTION = { alg: 'ECDH-ES', enc: 'A256GCM' } as const;
/** Characters; at most four octets each, and twice base64 on top: below what NATS takes at once (1 MB). */
const PART_LENGTH = 128 * 1024;
const MAX_PARTS = 10_000;

/** @returns what is to be sent, part by part; rejects when the operator's key is one that nothing can be sealed to */
export async function sealAnswer(
  signing: SigningKey,
  message: { readonly id: string; readonly answerTo: AnswerTo },
  answer: NodeAnswer,
): Promise<readonly Uint8Array[]> {
  const whole = JSON.stringify({ members: answer.members, outcome: answer.outcome });
  const to = await importJWK({ ...message.answerTo }, ENCRYPTION.alg);
  const parts = Math.max(1, Math.ceil(whole.length / PART_LENGTH));
  const sealed: Uint8Array[] = [];
  for (let part = 0; part < parts; part++) {
    const text = whole.slice(part * PART_LENGTH, (part + 1) * PART_LENGTH);
    const signed = await sign(signing, { re: message.id, node: answer.node, part, parts, text });
    sealed.push(octetsOf(await new CompactEncrypt(signed).setProtectedHeader(ENCRYPTION).encrypt(to)));
  }
  return sealed;
}

/** For a message that proved nothing: it says which node heard it, and that it was refused. */
export const sealRefused = (signing: SigningKey, message: Uint8Array, node: string): Promise<Uint8Array> =>
  sign(signing, { re: hashOf(message), node, refused: true });

/** The operator's half: a key pair for one message, and what it opens. */
export type AnswerOpener = {
  readonly answerTo: AnswerTo;
  /** Undefined: not from a node of this cluster, or not to this message. Never throws on its input. */
  open(octets: Uint8Array): Promise<AnswerPart | undefined>;
  /** Which message it is for; to be said before the first answer is opened. */
  expect(message: { readonly id: string; readonly octets: Uint8Array }): void;
};

/** @param nodes  the public key of the cluster's answers */
export async function answerOpener(nodes: KeyObject): Promise<AnswerOpener> {
  const { publicKey, privateKey } = await generateKeyPair('ECDH-ES', { crv: 'X25519', extractable: true });
  const { x } = await exportJWK(publicKey);
  let expected: { readonly id: string; readonly hash: string } | undefined;
  return {
    answerTo: { kty: 'OKP', crv: 'X25519', x: x! },
    expect: ({ id, octets }) => {
      expected = { id, hash: hashOf(octets) };
    },
    async open(octets) {
      try {
        const claims = await claimsIn(octets, privateKey, nodes);
        return expected && partOf(claims, expected);
      } catch (error) {
        if (error instanceof errors.JOSEError || isOperationError(error)) return undefined;
        throw error;
      }
    },
  };
}

/**
 * Puts parts together. One for each message. A node's first whole answer is its answer: nothing that comes later changes it,
 * and parts of another answer of its do not mix with it.
 */
export class AnswerCollector {
  /** By node and number of parts. */
  readonly #begun = new Map<string, (string | undefined)[]>();
  readonly #answered = new Set<string>();

  /** The whole answer, when this was its last missing part. */
  take({ node, part, parts, text }: Extract<AnswerPart, { kind: 'part' }>): NodeAnswer | undefined {
    if (this.#answered.has(node)) return undefined;
    const key = `${parts} of ${node}`;
    const texts = this.#begun.get(key) ?? new Array<string | undefined>(parts).fill(undefined);
    texts[part] ??= text;
    this.#begun.set(key, texts);
    if (texts.includes(undefined)) return undefined;
    this.#answered.add(node);
    return answerIn(node, texts.join(''));
  }
}

/** A node signed it, but perhaps one of another version. */
function answerIn(node: string, text: string): NodeAnswer {
  const answer = parsed(text);
  const { members, outcome } = isRecord(answer) ? answer : {};
  const names = Array.isArray(members) ? members.filter((each) => typeof each === 'string') : [];
  return { node, members: names, outcome: outcomeIn(outcome) };
}

/** What a node says came of an order, whatever its version; what can't be read is told as a failure. */
export function outcomeIn(said: unknown): Outcome {
  const { ok, value, errors } = isRecord(said) ? said : {};
  if (ok === true) return { ok, value };
  const isFailure = ok === false && Array.isArray(errors) && errors.every((error) => typeof error === 'string');
  return isFailure ? { ok, errors } : NOT_UNDERSTOOD;
}

export const NOT_UNDERSTOOD: Outcome = {
  ok: false,
  errors: ['its answer is not understood: it may run another version; whether it obeyed is not known'],
};

const isRecord = (said: unknown): said is Readonly<Record<string, unknown>> =>
  typeof said === 'object' && said !== null && !Array.isArray(said);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function claimsIn(
  octets: Uint8Array,
  privateKey: CryptoKey,
  nodes: KeyObject,
): Promise<Readonly<Record<string, unknown>>> {
  const text = Buffer.from(octets).toString('latin1');
  const isSealed = text.split('.').length === 5; // RFC 7516 §3.1
  const { alg, enc } = ENCRYPTION;
  const signed = isSealed
    ? (await compactDecrypt(text, privateKey, { keyManagementAlgorithms: [alg], contentEncryptionAlgorithms: [enc] }))
        .plaintext
    : octets;
  const { payload, protectedHeader } = await compactVerify(Buffer.from(signed).toString('latin1'), nodes, {
    algorithms: [ALGORITHM],
  });
  if (protectedHeader.typ !== TYPE) return {};
  const claims = parsed(new TextDecoder().decode(payload));
  if (!isRecord(claims)) return {};
  // Only the word `refused` may come in clear: the rest was meant for one pair of eyes.
  return isSealed || claims['refused'] === true ? claims : {};
}

function partOf(
  { re, node, part, parts, text, refused }: Readonly<Record<string, unknown>>,
  expected: { readonly id: string; readonly hash: string },
): AnswerPart | undefined {
  if (typeof node !== 'string') return undefined;
  if (refused === true) return re === expected.hash ? { kind: 'refused', node } : undefined;
  if (re !== expected.id || typeof part !== 'number' || typeof parts !== 'number' || typeof text !== 'string')
    return undefined;
  if (!Number.isInteger(part) || !Number.isInteger(parts) || part < 0 || part >= parts || parts > MAX_PARTS)
    return undefined;
  return { kind: 'part', node, part, parts, text };
}

async function sign({ key, kid }: SigningKey, claims: object): Promise<Uint8Array> {
  const signing = new CompactSign(Buffer.from(JSON.stringify(claims)));
  return octetsOf(await signing.setProtectedHeader({ alg: ALGORITHM, kid, typ: TYPE }).sign(key));
}

const octetsOf = (text: string): Uint8Array => Buffer.from(text, 'latin1');

const hashOf = (octets: Uint8Array): string => createHash('sha256').update(octets).digest('base64url');

/** What WebCrypto throws at a point of low order (RFC 7748 §6.1), by name: a DOMException has no class of its own for it. */
const isOperationError = (error: unknown): boolean => error instanceof Error && error.name === 'OperationError';
